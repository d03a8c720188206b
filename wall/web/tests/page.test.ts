import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { getJson, HttpProblem, LOGIN_NEEDED, sendJson } from "../src/http.ts";
import { eventWords, isNotable, kindOf } from "../src/live/event_words.ts";
import { Store } from "../src/live/store.ts";
import { inSteps, Wishes } from "../src/live/wishes.ts";
import type { CameraInfo, ToServer, WallEvent } from "../src/protocol.ts";
import { address, readRoute } from "../src/routes.ts";
import { Announcer } from "../src/ui/announce.ts";
import { el } from "../src/ui/dom.ts";
import { bytes, figure, milliseconds, peopleText } from "../src/ui/times.ts";
import { Toasts } from "../src/ui/toasts.ts";
import { isShown, merge } from "../src/views/timeline.ts";

const HOSTILE = `<img src=x onerror="document.title='hacked'">`;

function event(id: string, type: string, time: string, data: Record<string, unknown> = {}): WallEvent {
  return { id, type: `posebus.${type}`, time, data: { camera: "door", epoch: 1, seq: 1, ...data } };
}

function camera(name: string, state: string): CameraInfo {
  return {
    name,
    source: "",
    state,
    trouble: null,
    fps_in: null,
    fps_out: null,
    age_ms: null,
    people: null,
    dropped: 0,
    rules: [],
    floor: null,
  };
}

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("data becomes text, never markup", () => {
  const made = el("p", { title: HOSTILE }, HOSTILE, null, false, 5);
  expect(made.children).toHaveLength(0);
  expect(made.textContent).toBe(`${HOSTILE}5`);
  expect(() => el("p", { onclick: "steal()" })).toThrow(TypeError);
  expect(() => el("p", { style: "color: red" })).toThrow(TypeError);
});

test("names of cameras survive the address bar", () => {
  for (const name of ["door", "a/b", "Größe 100%", HOSTILE, "#", "?x=1"]) {
    expect(readRoute(address({ view: "camera", camera: name }))).toEqual({ view: "camera", camera: name });
  }
  expect(readRoute("#/nonsense")).toEqual({ view: "wall" });
  expect(readRoute("#/camera/%E0%A4%A")).toEqual({ view: "camera", camera: "%E0%A4%A" });
  expect(readRoute("#/events")).toEqual({ view: "events", camera: "" });
});

test("a problem is the server's sentence; without an answer, one of the page", async () => {
  vi.stubGlobal("fetch", () =>
    Promise.resolve(new Response('{"sentence": "no such camera", "path": "name"}', { status: 404 })),
  );
  await expect(getJson("/api/x")).rejects.toMatchObject({ status: 404, sentence: "no such camera", path: "name" });
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  await expect(sendJson("PUT", "/api/x", {})).rejects.toBeInstanceOf(HttpProblem);
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("<html>", { status: 200 })));
  await expect(getJson("/api/x")).rejects.toMatchObject({ sentence: "The wall's answer cannot be read." });
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: 204 })));
  await expect(sendJson("POST", "/api/logout")).resolves.toBeNull();
});

test("a login that has ended tells the page, a failed login does not", async () => {
  const told = vi.fn();
  window.addEventListener(LOGIN_NEEDED, told);
  vi.stubGlobal("fetch", () => Promise.resolve(new Response('{"sentence": "log in first"}', { status: 401 })));
  await expect(sendJson("POST", "/api/login", {})).rejects.toBeInstanceOf(HttpProblem);
  expect(told).not.toHaveBeenCalled();
  await expect(getJson("/api/events")).rejects.toBeInstanceOf(HttpProblem);
  expect(told).toHaveBeenCalledOnce();
});

test("only what can be seen is asked for, in steps, once", () => {
  const sent: ToServer[] = [];
  const wishes = new Wishes({ send: (message) => sent.push(message), pictures: () => true, exists: (camera) => camera !== "gone" });
  wishes.clear(15);
  wishes.want("door", 300);
  wishes.want("hall", 301);
  wishes.want("yard", 300);
  wishes.want("yard", 0);
  wishes.want("gone", 300);
  wishes.want("plan", 1, false);
  vi.runAllTimers();
  wishes.want("hall", 310);
  vi.runAllTimers();
  expect(sent).toHaveLength(1);
  expect(sent[0]).toEqual({
    type: "watch",
    max_fps: 15,
    tiles: [
      { camera: "door", width_px: 320, pictures: true },
      { camera: "hall", width_px: 320, pictures: true },
      { camera: "plan", width_px: 80, pictures: false },
    ],
  });
  expect([1, 80, 81].map(inSteps)).toEqual([80, 80, 160]);
});

test("skeletons only is remembered, and forced for those without the right", () => {
  const store = new Store();
  store.person = { name: "a", role: "viewer", rights: ["poses", "pictures"] };
  expect(store.pictures).toBe(true);
  store.showPictures(false);
  const next = new Store();
  next.person = store.person;
  expect(next.pictures).toBe(false);
  next.showPictures(true);
  next.person = { name: "b", role: "privacy viewer", rights: ["poses"] };
  expect(next.pictures).toBe(false);
});

test("since when a camera is offline: what the page saw, or better its event", () => {
  const store = new Store();
  store.setCameras([camera("door", "offline")], 1000);
  expect(store.offlineSince.get("door")).toBeUndefined();
  store.setCameras([camera("door", "online")], 2000);
  store.setCameras([camera("door", "offline")], 3000);
  expect(store.offlineSince.get("door")).toBe(3000);
  store.addEvent(event("1", "camera.offline", "1970-01-01T00:00:02.500Z"));
  expect(store.offlineSince.get("door")).toBe(2500);
  store.setCameras([camera("door", "online")], 4000);
  expect(store.offlineSince.has("door")).toBe(false);
});

test("an event comes once, however often it is sent", () => {
  const store = new Store();
  for (let round = 0; round < 3; round++) store.addEvent(event("1", "line.crossed", "2026-01-01T00:00:00Z"));
  expect(store.events).toHaveLength(1);
});

test("events in words; those of another version as their type", () => {
  const crossed = event("1", "line.crossed", "", { rule: "gate", track_id: 7, direction: "a_to_b" });
  expect(eventWords(crossed)).toBe("gate: person 7 crossed from a to b");
  expect(eventWords(event("1", "zone.dwelled", "", { rule: "desk", track_id: 2, duration_s: 12.3456 }))).toBe(
    "desk: person 2 has stayed for 12.3 s",
  );
  expect(eventWords(event("1", "future.kind_of_thing", ""))).toBe("future kind of thing");
  expect(kindOf(crossed)).toBe("line.crossed");
  expect(
    [crossed, event("1", "track.started", ""), event("1", "fall.ended", ""), event("1", "camera.offline", "")].map(
      isNotable,
    ),
  ).toEqual([true, false, false, true]);
});

test("the timeline has each event once, the newest first, and only the chosen kinds", () => {
  const [a, b] = [
    event("a", "track.started", "2026-01-01T00:00:00Z"),
    event("b", "line.crossed", "2026-01-01T00:00:01Z"),
  ];
  expect(merge([a, b, a]).map(({ id }) => id)).toEqual(["b", "a"]);
  expect([a, b].map((one) => isShown(one, "rules"))).toEqual([false, true]);
  expect([a, b].map((one) => isShown(one, "people"))).toEqual([true, false]);
  expect([a, b].map((one) => isShown(one, "=line.crossed"))).toEqual([false, true]);
});

test("many events are a few sentences for those who listen", () => {
  const announcer = new Announcer();
  announcer.say("first");
  expect(announcer.node.textContent).toBe("first");
  for (const more of ["second", "third", "fourth"]) announcer.say(more);
  expect(announcer.node.textContent).toBe("first");
  vi.advanceTimersByTime(4000);
  expect(announcer.node.textContent).toBe("second; and 2 more");
});

test("notes of the same kind are one with a count, and at most three are shown", () => {
  const toasts = new Toasts();
  const note = (key: string) => ({ key, where: HOSTILE, words: key, kind: "warn" as const, open: () => undefined });
  for (const key of ["a", "a", "b", "c", "d"]) toasts.add(note(key));
  expect(toasts.node.firstElementChild!.children).toHaveLength(3);
  expect(toasts.node.querySelector("img")).toBeNull();
  toasts.add(note("d"));
  expect(toasts.node.querySelector("li:last-child")!.textContent).toContain("×2");
  vi.advanceTimersByTime(6000);
  expect(toasts.node.firstElementChild!.children).toHaveLength(0);
});

test("figures as people read them", () => {
  expect([null, 0, 9.94, 9.96, 30.4].map(figure)).toEqual(["–", "0.0", "9.9", "10", "30"]);
  expect([85.4, 1500].map(milliseconds)).toEqual(["85 ms", "1.5 s"]);
  expect([5, 48_200_000].map(bytes)).toEqual(["5 bytes", "48 MB"]);
  expect([0, 1, 2].map(peopleText)).toEqual(["0 people", "1 person", "2 people"]);
});
