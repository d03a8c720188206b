import { expect, test } from "vitest";
import { conditionOf, figuresOf, stateKind, type Watched } from "../src/live/condition.ts";
import type { CameraInfo } from "../src/protocol.ts";

const NOW = Date.parse("2026-03-04T12:00:00");

function camera(changes: Partial<CameraInfo> = {}): CameraInfo {
  return {
    ...{ name: "door", source: "", state: "online", trouble: null, fps_in: 5, fps_out: 5, age_ms: 80, people: 2 },
    ...{ dropped: 0, rules: [], floor: null },
    ...changes,
  };
}

function watched(changes: Partial<Watched> = {}): Watched {
  return { silentMs: 100, openMs: 9000, broken: false, offlineSince: undefined, connected: true, ...changes };
}

test("nothing is the matter with a camera that delivers", () => {
  expect(conditionOf(camera(), watched(), NOW)).toBeNull();
  expect(figuresOf(camera())).toBe("2 people · 5.0 fps");
  expect(stateKind(camera())).toBe("good");
});

test("an offline camera says why and since when", () => {
  const offline = camera({ state: "offline", trouble: "no route to host" });
  const said = conditionOf(offline, watched({ offlineSince: NOW - 60_000 }), NOW);
  expect(said).toEqual({ title: "Offline since 11:59", sentence: "no route to host", kind: "bad" });
  expect(figuresOf(offline)).toBe("");
});

test("what somebody has chosen is no trouble, and is not said twice", () => {
  const paused = camera({ state: "paused", trouble: "paused" });
  expect(conditionOf(paused, watched(), NOW)).toEqual({ title: "Paused", sentence: "", kind: "quiet" });
  expect(stateKind(paused)).toBe("quiet");
});

test("a camera that is gone, one in a state of a later version", () => {
  expect(conditionOf(null, watched(), NOW)?.title).toBe("This camera is gone");
  expect(conditionOf(camera({ state: "melted" }), watched(), NOW)).toMatchObject({ title: "melted", kind: "bad" });
});

test("silence is said, but only while the page is connected", () => {
  expect(conditionOf(camera(), watched({ silentMs: 7100 }), NOW)?.title).toBe("No frame for 7 s");
  expect(conditionOf(camera(), watched({ silentMs: 7100, connected: false }), NOW)).toBeNull();
  expect(conditionOf(camera(), watched({ silentMs: null, openMs: 100 }), NOW)?.sentence).toBe("");
  expect(conditionOf(camera(), watched({ silentMs: null }), NOW)?.sentence).toBe(
    "Frames come slowly. Status says why.",
  );
});

test("trouble of a camera that delivers is a note beside its picture", () => {
  const dark = camera({ trouble: "the picture is nearly black" });
  expect(conditionOf(dark, watched(), NOW)).toEqual({
    title: "the picture is nearly black",
    sentence: "",
    kind: "note",
  });
  expect(stateKind(dark)).toBe("warn");
});
