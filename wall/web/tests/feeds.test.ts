import { expect, test, vi } from "vitest";
import { Feeds } from "../src/live/feeds.ts";
import type { ToServer } from "../src/protocol.ts";
import { binary } from "./frames.ts";

class FakeBitmap {
  closed = false;
  close(): void {
    this.closed = true;
  }
}

function frame(seq: number, camera = "door"): ArrayBuffer {
  return binary({
    type: "frame",
    camera,
    epoch: 1,
    seq,
    captured_at_ms: seq * 100,
    size: [64, 48],
    picture: [64, 48],
    blurred: false,
    tracks: [],
  });
}

function setUp() {
  const sent: ToServer[] = [];
  const made: FakeBitmap[] = [];
  const decoders: ((bitmap: ImageBitmap) => void)[] = [];
  const refreshes: (() => void)[] = [];
  const onProblem = vi.fn();
  const decode = (): Promise<ImageBitmap> => new Promise((done) => decoders.push(done));
  const feeds = new Feeds({
    send: (message) => sent.push(message),
    onProblem,
    decode,
    refresh: (draw) => refreshes.push(draw),
  });
  const finish = async (index: number): Promise<FakeBitmap> => {
    const bitmap = new FakeBitmap();
    made.push(bitmap);
    decoders[index]!(bitmap as unknown as ImageBitmap);
    await new Promise((done) => setTimeout(done));
    return bitmap;
  };
  const acknowledged = (): number[] => sent.flatMap((message) => (message.type === "shown" ? [message.seq] : []));
  return { feeds, finish, refreshes, acknowledged, onProblem };
}

test("a frame is acknowledged after it was drawn, and its picture closed when the next is", async () => {
  const { feeds, finish, refreshes, acknowledged } = setUp();
  const drawn: number[] = [];
  feeds.of("door").painters.add(({ header }) => drawn.push(header.seq));
  void feeds.arrive(frame(1));
  const first = await finish(0);
  expect(acknowledged()).toEqual([]);
  refreshes.shift()!();
  expect([drawn, acknowledged()]).toEqual([[1], [1]]);
  void feeds.arrive(frame(2));
  await finish(1);
  expect(first.closed).toBe(false);
  refreshes.shift()!();
  expect(first.closed).toBe(true);
});

test("of two frames in one refresh the newest is drawn; both are acknowledged", async () => {
  const { feeds, finish, refreshes, acknowledged } = setUp();
  const drawn: number[] = [];
  feeds.of("door").painters.add(({ header }) => drawn.push(header.seq));
  void feeds.arrive(frame(1));
  void feeds.arrive(frame(2));
  const older = await finish(0);
  await finish(1);
  expect(refreshes).toHaveLength(1);
  refreshes[0]!();
  expect(drawn).toEqual([2]);
  expect(older.closed).toBe(true);
  expect(acknowledged()).toEqual([1, 2]);
});

test("a picture that is ready late never replaces a newer one", async () => {
  const { feeds, finish, refreshes, acknowledged } = setUp();
  void feeds.arrive(frame(1));
  void feeds.arrive(frame(2));
  await finish(1);
  refreshes.shift()!();
  const late = await finish(0);
  expect(late.closed).toBe(true);
  expect(refreshes).toHaveLength(0);
  expect(feeds.of("door").shown!.header.seq).toBe(2);
  expect(acknowledged()).toEqual([2, 1]);
});

test("a picture that is none shows the skeletons and says so", async () => {
  const refreshes: (() => void)[] = [];
  const feeds = new Feeds({
    send: () => undefined,
    onProblem: () => undefined,
    decode: () => Promise.reject(new Error("no JPEG")),
    refresh: (draw) => refreshes.push(draw),
  });
  await feeds.arrive(frame(1));
  refreshes[0]!();
  expect(feeds.of("door").shown).toMatchObject({ bitmap: null, broken: true });
});

test("a forged frame is reported and harms no other", async () => {
  const { feeds, onProblem } = setUp();
  await feeds.arrive(new ArrayBuffer(3));
  expect(onProblem).toHaveBeenCalledOnce();
});

test("cameras that are gone are forgotten with their pictures, unless somebody looks at them", async () => {
  const { feeds, finish, refreshes } = setUp();
  void feeds.arrive(frame(1));
  const bitmap = await finish(0);
  refreshes[0]!();
  feeds.of("large").painters.add(() => undefined);
  feeds.keepOnly([]);
  expect(bitmap.closed).toBe(true);
  expect(feeds.of("door").shown).toBeNull();
  expect(feeds.of("large").painters.size).toBe(1);
});
