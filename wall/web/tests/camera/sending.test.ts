import { expect, test } from "vitest";
import { frameSize } from "../../src/camera/capture.ts";
import { keptChoice } from "../../src/camera/controls.ts";
import { pictureMessage, posesMessage, startMessage } from "../../src/camera/messages.ts";
import { Pacer, PictureSize, Recent, quantile } from "../../src/camera/pacing.ts";
import { reasonNotToAsk, sentenceFor } from "../../src/camera/permission.ts";
import { FrameRing } from "../../src/camera/ring.ts";

const FRAME = { seq: 3, captured_at_ms: 1000.5, width: 640, height: 480 };

test("a picture is its header's length, header and file", () => {
  const message = new Uint8Array(pictureMessage(FRAME, 1010, new Uint8Array([255, 216, 7]).buffer));
  const length = new DataView(message.buffer).getUint32(0, true);
  expect(JSON.parse(new TextDecoder().decode(message.slice(4, 4 + length)))).toEqual({ ...FRAME, sent_at_ms: 1010 });
  expect([...message.slice(4 + length)]).toEqual([255, 216, 7]);
});

test("twelve people take less than 5 kB", () => {
  const person = {
    score: 0.876543,
    box: [1023.4567, 1023.4567, 1123.4567, 1123.4567] as [number, number, number, number],
    keypoints: Array.from({ length: 17 }, (): [number, number, number] => [1023.4567, 1023.4567, 0.98765]),
  };
  const text = posesMessage(FRAME, 1010, Array.from({ length: 12 }, () => person), 33.333, 320);
  expect(text.length).toBeLessThan(5500);
  expect(posesMessage(FRAME, 1010, Array.from({ length: 10 }, () => person), 33.333, 320).length).toBeLessThan(5000);
  expect(JSON.parse(text).people[0]).toMatchObject({ score: 0.88, box: [1023.5, 1023.5, 1123.5, 1123.5] });
});

test("a name of blanks is no name", () => {
  expect(JSON.parse(startMessage("poses", "  ", "ab"))).toEqual({ type: "start", mode: "poses", name: null, page: "ab" });
});

test("at most two frames are on the way, and no more than the server allows", () => {
  const pacer = new Pacer(30);
  expect(pacer.maySend(0)).toBe(true);
  pacer.sent(0, 0);
  expect(pacer.maySend(500)).toBe(false);
  expect(pacer.answered(0, 520, { max_fps: 20, on_the_way: 9 })).toBe(520);
  expect(pacer.maySend(520)).toBe(true);
  pacer.sent(1, 520);
  expect(pacer.maySend(530)).toBe(false); // 50 ms lie between frames
  expect(pacer.maySend(570)).toBe(true);
  pacer.sent(2, 570);
  expect(pacer.maySend(900)).toBe(false);
});

test("a frame without an answer is given up after seconds, and the wish of the person bounds the rate", () => {
  const pacer = new Pacer(5);
  pacer.sent(0, 0);
  expect(pacer.maySend(2000)).toBe(false);
  expect(pacer.maySend(3001)).toBe(true);
  expect(pacer.answered(0, 3100, { max_fps: 30, on_the_way: 2 })).toBeNull();
  expect(pacer.fps).toBe(5);
});

test("nothing is sent while the server says so", () => {
  const pacer = new Pacer(5);
  pacer.refused(0, 1000);
  expect(pacer.maySend(900)).toBe(false);
  expect(pacer.maySend(1100)).toBe(true);
});

test("pictures get smaller on a slow line and larger again", () => {
  const size = new PictureSize();
  expect(size.longest(null, null)).toBe(640);
  expect(size.longest(null, 320)).toBe(320);
  expect(size.longest(1280, 320)).toBe(1280);
  size.took(500, 640, 0);
  expect(size.longest(null, 640)).toBe(512);
  for (let ms = 0; ms < 30; ms++) size.took(20, 512, 2100 + ms);
  expect(size.longest(null, 640)).toBe(640);
});

test("the share of values that lies below", () => {
  expect(quantile([], 0.95)).toBeNull();
  expect(quantile([5, 1, 3], 0.5)).toBe(3);
  const recent = new Recent(1000);
  recent.add(0, 1);
  recent.add(900, 2);
  expect(recent.values(1500)).toEqual([2]);
});

test("a frame is found by its place in the stream, and older ones are released", () => {
  const released: string[] = [];
  const ring = new FrameRing<string>(3, (picture) => released.push(picture));
  for (const frame of [10, 11, 12, 13]) ring.add(frame, `p${frame}`, frame);
  expect(released).toEqual(["p10"]);
  ring.place(12, 7, 2);
  expect(ring.take(7, 2)?.picture).toBe("p12");
  expect(released).toEqual(["p10", "p11"]);
  expect(ring.take(7, 3)).toBeNull();
});

test("sizes of turned frames", () => {
  expect(frameSize(1280, 720, 0, 640)).toEqual([640, 360]);
  expect(frameSize(1280, 720, 90, 640)).toEqual([360, 640]);
  expect(frameSize(320, 240, 180, 640)).toEqual([320, 240]);
});

test("each way of having no camera has a sentence that says what to do", () => {
  expect(reasonNotToAsk(false, true, "wall:8088")).toContain("https://wall:8088/camera");
  expect(reasonNotToAsk(true, false, "wall")).toContain("current");
  expect(reasonNotToAsk(true, true, "wall")).toBeNull();
  expect(sentenceFor("NotAllowedError")).toContain("Allow it");
  expect(sentenceFor("NotFoundError")).toContain("no camera");
  expect(sentenceFor("NotReadableError")).toContain("in use");
});

test("a kept choice that is broken in parts is used in its other parts", () => {
  const storage = { getItem: () => JSON.stringify({ mode: "poses", fps: "many", turn: 90, name: 7 }) } as unknown as Storage;
  expect(keptChoice(storage)).toMatchObject({ mode: "poses", fps: 15, turn: 90, name: "" });
  expect(keptChoice({ getItem: () => "{" } as unknown as Storage).mode).toBe("pictures");
});
