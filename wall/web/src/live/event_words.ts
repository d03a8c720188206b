// What an event says, in a few words; and which events deserve a reader's attention.

import type { WallEvent } from "../protocol.ts";

type Data = WallEvent["data"];

const person = (data: Data): string =>
  data["track_id"] === undefined ? "somebody" : `person ${show(data["track_id"])}`;
const people = (data: Data): string => (data["people"] === 1 ? "1 person" : `${show(data["people"] ?? "some")} people`);

const WORDS: Record<string, (data: Data) => string> = {
  "track.started": (data) => `${person(data)} appeared`,
  "track.lost": (data) => `${person(data)} is out of sight`,
  "track.ended": (data) => `${person(data)} is gone`,
  "camera.online": () => "the camera is online",
  "camera.offline": (data) => `the camera is offline${because(data)}`,
  "camera.gap": () => "frames were skipped",
  "camera.cut": () => "the picture changed as a whole",
  "camera.ended": () => "the recording has ended",
  "camera.imgsz": () => "another size of inference was chosen",
  "camera.rate": () => "another rate of inference was chosen",
  "track.renamed": (data) => `${person(data)} is known by another number`,
  "track.finished": (data) => `${person(data)} is finished`,
  "zone.entered": (data) => `${person(data)} entered`,
  "zone.dwelled": (data) => `${person(data)} has stayed${seconds(data, "for")}`,
  "zone.left": (data) => `${person(data)} left${seconds(data, "after")}`,
  "zone.occupied": (data) => `${people(data)} inside`,
  "zone.cleared": (data) => `${people(data)} inside again`,
  "line.crossed": (data) => `${person(data)} crossed${direction(data)}`,
  "loiter.detected": (data) => `${person(data)} loiters${seconds(data, "for")}`,
  "loiter.ended": (data) => `${person(data)} does not loiter any more`,
  "crowd.detected": (data) => `a crowd of ${people(data)}`,
  "crowd.ended": () => "no crowd any more",
  "proximity.detected": (data) => `${person(data)} and person ${show(data["other_track_id"])} are close`,
  "proximity.ended": (data) => `${person(data)} and person ${show(data["other_track_id"])} are apart`,
  "absence.detected": (data) => `too few: ${people(data)}`,
  "absence.ended": (data) => `${people(data)} again`,
  "fall.detected": (data) => `${person(data)} fell`,
  "fallen.detected": (data) => `${person(data)} is still on the ground`,
  "fall.ended": (data) => `${person(data)} is not on the ground any more`,
  "hands_up.detected": (data) => `${person(data)} holds the hands up`,
  "hands_up.ended": (data) => `${person(data)} took the hands down`,
  "running.detected": (data) => `${person(data)} runs`,
  "running.ended": (data) => `${person(data)} does not run any more`,
  "crouch.detected": (data) => `${person(data)} crouches`,
  "crouch.ended": (data) => `${person(data)} does not crouch any more`,
  "action.detected": (data) => `${person(data)}: ${show(data["action"])}`,
  "action.ended": (data) => `${person(data)}: no longer ${show(data["action"])}`,
};

/** The kind of an event for filters: its type without the prefix, as "line.crossed". */
export function kindOf(event: WallEvent): string {
  return event.type.replace(/^posebus\./, "");
}

/** Returns what the event says, with the name of its rule. */
export function eventWords(event: WallEvent): string {
  const kind = kindOf(event);
  const words = WORDS[kind]?.(event.data) ?? kind.replaceAll(".", " ").replaceAll("_", " ");
  const rule = ruleOf(event);
  return rule === null ? words : `${rule}: ${words}`;
}

export function ruleOf(event: WallEvent): string | null {
  const rule = event.data["rule"];
  return typeof rule === "string" && rule !== "" ? rule : null;
}

/** Whether somebody wants to hear of it at once: events of rules and of lost cameras, not each person who appears. */
export function isNotable(event: WallEvent): boolean {
  const kind = kindOf(event);
  if (kind.startsWith("track.")) return false;
  if (kind.startsWith("camera.")) return kind === "camera.offline" || kind === "camera.online";
  return !kind.endsWith(".ended") && !kind.endsWith(".cleared");
}

/** How grave it is, for its colour. */
export function gravity(event: WallEvent): "bad" | "warn" | "good" | "plain" {
  const kind = kindOf(event);
  if (kind === "fall.detected" || kind === "fallen.detected" || kind === "camera.offline") return "bad";
  if (kind === "camera.online") return "good";
  return isNotable(event) ? "warn" : "plain";
}

function because(data: Data): string {
  const reason = data["reason"] ?? data["error"];
  return typeof reason === "string" && reason ? `: ${reason}` : "";
}

function seconds(data: Data, word: string): string {
  const duration = data["duration_s"];
  return typeof duration === "number" ? ` ${word} ${Number(duration.toPrecision(3))} s` : "";
}

function direction(data: Data): string {
  const [from, , to] = String(data["direction"] ?? "").split("_");
  return from && to ? ` from ${from} to ${to}` : "";
}

function show(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "?";
}
