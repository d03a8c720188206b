import { expect, test } from "vitest";
import { valueOf } from "../../src/cameras/form.ts";
import { freeCameraName, kindOfSource, stateLook } from "../../src/cameras/kinds.ts";

test("the kind of an address is known while it is typed", () => {
  const kinds = ["rtsp://x", "HTTPS://x/y", "usb:1", "synthetic:bus", "/a/b.mp4", "file:///a", "srt://x", " "];
  expect(kinds.map((source) => kindOfSource(source)?.name ?? null)).toEqual(["rtsp", "http", "usb", "synthetic", "file", "file", "rtsp", null]);
});

test("fields become values, and an empty one goes back to the default", () => {
  expect([valueOf("max_fps", "2,5"), valueOf("max_fps", ""), valueOf("max_fps", "many"), valueOf("rotate", "90")]).toEqual([2.5, null, "many", 90]);
  expect([valueOf("loop", "true"), valueOf("schedule", " "), valueOf("source", "")]).toEqual([true, null, ""]);
});

test("a new name is free, and a state looks like what it means", () => {
  expect(freeCameraName(["camera-1", "camera-3"])).toBe("camera-2");
  expect(["online", "offline", "starting", "paused"].map(stateLook)).toEqual(["good", "bad", "warn", ""]);
});
