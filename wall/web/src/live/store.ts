// What the page knows, and who wants to hear when it changes.

import type { CameraInfo, Deployment, Person, WallEvent } from "../protocol.ts";
import type { ConnectionState } from "../connection.ts";

export type Topic = "cameras" | "connection" | "broker" | "deployment" | "event" | "person" | "pictures" | "problem";

const MOST_EVENTS = 300;
const SKELETONS_KEY = "posebus.skeletons";

export class Store {
  person: Person | null = null;
  version = "";
  privacy: "heads" | "none" = "heads";
  /** In the order of the wall; null until the first list has come. */
  cameras: CameraInfo[] | null = null;
  deployment: Deployment | null = null;
  broker: { there: boolean; sentence: string | null } = { there: true, sentence: null };
  connection: ConnectionState = "connecting";
  /** Those that came since the page was opened, the newest first. */
  readonly events: WallEvent[] = [];
  problem = "";
  /** Since when a camera has not been online, in milliseconds, as far as this page knows. */
  readonly offlineSince = new Map<string, number>();
  private wantsSkeletons = readFlag(SKELETONS_KEY);
  private readonly listeners = new Map<Topic, Set<() => void>>();

  on(topic: Topic, listener: () => void): () => void {
    const all = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, all.add(listener));
    return () => all.delete(listener);
  }

  tell(topic: Topic): void {
    for (const listener of [...(this.listeners.get(topic) ?? [])]) listener();
  }

  may(right: Person["rights"][number]): boolean {
    return this.person?.rights.includes(right) ?? false;
  }

  /** Whether pictures are shown: only to people who may see them, and who have not switched them off. */
  get pictures(): boolean {
    return this.may("pictures") && !this.wantsSkeletons;
  }

  showPictures(shown: boolean): void {
    this.wantsSkeletons = !shown;
    writeFlag(SKELETONS_KEY, !shown);
    this.tell("pictures");
  }

  camera(name: string): CameraInfo | null {
    return this.cameras?.find((camera) => camera.name === name) ?? null;
  }

  setCameras(cameras: CameraInfo[], now: number): void {
    const known = this.cameras !== null;
    const before = new Map((this.cameras ?? []).map((camera) => [camera.name, camera.state]));
    for (const camera of cameras) {
      const was = before.get(camera.name);
      if (camera.state === "online") this.offlineSince.delete(camera.name);
      else if (known && was === "online") this.offlineSince.set(camera.name, now);
    }
    this.cameras = cameras;
    this.tell("cameras");
  }

  addEvent(event: WallEvent): void {
    if (this.events.some((known) => known.id === event.id)) return;
    this.events.unshift(event);
    if (this.events.length > MOST_EVENTS) this.events.pop();
    if (event.type === "posebus.camera.offline") this.noteOffline(event.data.camera, Date.parse(event.time));
    this.tell("event");
  }

  /** Keeps the time of a camera's newest "offline" event: it is more exact than what the page has seen itself. */
  noteOffline(camera: string, at: number): void {
    if (Number.isFinite(at)) this.offlineSince.set(camera, at);
  }
}

export function readFlag(key: string): boolean {
  try {
    return localStorage.getItem(key) === "1";
  } catch {
    return false;
  }
}

export function writeFlag(key: string, value: boolean): void {
  try {
    localStorage.setItem(key, value ? "1" : "0");
  } catch {
    // A private window may refuse it; the choice then lasts as long as the page.
  }
}
