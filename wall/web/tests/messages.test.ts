import { expect, test } from "vitest";
import { MessageProblem, readFrame, readText } from "../src/live/messages.ts";
import { binary } from "./frames.ts";

const HEADER = {
  type: "frame",
  camera: "door",
  epoch: 3,
  seq: 17,
  captured_at_ms: 1000.5,
  size: [640, 480],
  picture: [320, 240],
  blurred: true,
  tracks: [
    { id: 4, state: "confirmed", box: [1, 2, 3, 4], keypoints: [[1, 2, 0.5]], action: "walking", floor: [1.5, 2.5] },
  ],
};

test("a frame is its header and the bytes of its picture", () => {
  const { header, jpeg } = readFrame(binary(HEADER));
  expect(header).toEqual(HEADER);
  expect([...jpeg!]).toEqual([255, 216, 255]);
  expect(readFrame(binary({ ...HEADER, picture: null }, new Uint8Array())).jpeg).toBeNull();
});

test.each([
  ["nothing", new ArrayBuffer(0)],
  ["a length beyond its end", new Uint8Array([255, 255, 0, 0, 1]).buffer],
  ["a length of gigabytes", new Uint8Array([255, 255, 255, 255, 1]).buffer],
  ["no JSON", binary("{")],
  ["a list", binary([])],
  ["no camera", binary({ ...HEADER, camera: 5 })],
  ["a size of nothing", binary({ ...HEADER, size: [0, 480] })],
  ["a size of gigapixels", binary({ ...HEADER, size: [1e9, 480] })],
  ["a track of an unknown state", binary({ ...HEADER, tracks: [{ ...HEADER.tracks[0], state: "<b>" }] })],
  ["a box of three numbers", binary({ ...HEADER, tracks: [{ ...HEADER.tracks[0], box: [1, 2, 3] }] })],
  ["a keypoint that is text", binary({ ...HEADER, tracks: [{ ...HEADER.tracks[0], keypoints: [["1", 2, 3]] }] })],
  ["a picture that is missing", binary(HEADER, new Uint8Array())],
])("a frame with %s is refused", (_, message) => {
  expect(() => readFrame(message as ArrayBuffer)).toThrow(MessageProblem);
});

test("a camera has its rules; one without points is left out, and what is missing is not known", () => {
  const camera = {
    name: "door",
    state: "online",
    rules: [
      {
        name: "a",
        kind: "zone",
        points: [
          [0, 0],
          [1, 0],
          [1, 1],
        ],
      },
      { name: "b", points: [] },
    ],
    fps_in: "5",
  };
  const said = readText(JSON.stringify({ type: "cameras", cameras: [camera] }));
  expect(said).toMatchObject({
    cameras: [{ name: "door", fps_in: null, dropped: 0, floor: null, rules: [{ name: "a", shape: "polygon" }] }],
  });
});

test("rights that this page does not know are none, and an unknown role is the least", () => {
  const said = readText(
    JSON.stringify({ type: "hello", person: { name: "eve", role: "root", rights: ["pictures", "fly"] } }),
  );
  expect(said).toMatchObject({ person: { role: "privacy viewer", rights: ["pictures"] }, privacy: "heads" });
});

test("a message of a later version is left alone, a broken one refused", () => {
  expect(readText('{"type": "weather"}')).toBeNull();
  expect(() => readText("nonsense")).toThrow(MessageProblem);
  expect(() => readText('{"type": "cameras", "cameras": 5}')).toThrow(MessageProblem);
  expect(() => readText('{"type": "event", "event": {"id": 1}}')).toThrow(MessageProblem);
});

test("an event keeps its fields and gets its camera from the subject", () => {
  const event = {
    id: "1",
    type: "posebus.line.crossed",
    time: "2026-01-01T00:00:00Z",
    subject: "door",
    data: { rule: "gate" },
  };
  expect(readText(JSON.stringify({ type: "event", event }))).toMatchObject({
    event: { data: { camera: "door", rule: "gate", epoch: 0 } },
  });
});
