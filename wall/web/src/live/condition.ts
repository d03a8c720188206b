// What is the matter with a camera, in words for its tile. Pure.

import type { CameraInfo } from "../protocol.ts";
import { figure, peopleText, since } from "../ui/times.ts";

/** What the page itself knows of the camera's frames. */
export interface Watched {
  /** Milliseconds since its last frame; null before the first one. */
  silentMs: number | null;
  /** Milliseconds since the tile was opened. */
  openMs: number;
  /** Whether the last picture could not be read. */
  broken: boolean;
  offlineSince: number | undefined;
  /** Whether the page is connected: without, silence says nothing about the camera. */
  connected: boolean;
}

export interface Condition {
  title: string;
  sentence: string;
  /** "bad" and "quiet" stand in the middle of the tile instead of a picture; a "note" stands in its corner. */
  kind: "bad" | "quiet" | "note";
}

const STALE_MS = 5000;
const PATIENT_MS = 5000;
/** States that somebody has chosen: nothing is wrong. */
const QUIET: Record<string, string> = {
  connecting: "Connecting",
  standby: "On standby",
  ended: "The recording has ended",
  paused: "Paused",
  off: "Off by its schedule",
};
const BAD: Record<string, string> = { offline: "Offline", "given up": "Given up" };

/** Returns what is the matter with a camera (null: it is not part of the deployment), or null if nothing is. */
export function conditionOf(info: CameraInfo | null, watched: Watched, now: number): Condition | null {
  if (info === null)
    return { title: "This camera is gone", sentence: "It is not part of the deployment any more.", kind: "bad" };
  const trouble = info.trouble ?? "";
  if (info.state !== "online") return notOnline(info, trouble, watched.offlineSince, now);
  if (watched.broken)
    return {
      title: "The picture cannot be read",
      sentence: "What came is no JPEG. The skeletons are those of the frame.",
      kind: "note",
    };
  if (watched.silentMs === null) {
    const help = info.people === null ? "Nothing tracks it yet." : "Frames come slowly.";
    const sentence = trouble || (watched.openMs > PATIENT_MS ? `${help} Status says why.` : "");
    return { title: "Waiting for the first frame", sentence, kind: "quiet" };
  }
  if (watched.silentMs > STALE_MS && watched.connected)
    return { title: `No frame for ${Math.floor(watched.silentMs / 1000)} s`, sentence: trouble, kind: "note" };
  return trouble === "" ? null : { title: trouble, sentence: "", kind: "note" };
}

/** Returns the figures of a camera's caption; nothing for one that delivers none. */
export function figuresOf(info: CameraInfo | null): string {
  if (info?.state !== "online" || info.fps_out === null) return "";
  return `${peopleText(info.people ?? 0)} · ${figure(info.fps_out)} fps`;
}

/** Returns the colour of a camera's state. */
export function stateKind(info: CameraInfo | null): "good" | "warn" | "bad" | "quiet" {
  if (info === null) return "bad";
  if (info.state === "online") return info.trouble === null ? "good" : "warn";
  return info.state in QUIET ? "quiet" : "bad";
}

function notOnline(info: CameraInfo, trouble: string, at: number | undefined, now: number): Condition {
  const words = QUIET[info.state] ?? BAD[info.state] ?? info.state;
  return {
    title: at === undefined ? words : `${words} since ${since(at, now)}`,
    sentence: trouble.toLowerCase() === info.state ? "" : trouble,
    kind: info.state in QUIET ? "quiet" : "bad",
  };
}
