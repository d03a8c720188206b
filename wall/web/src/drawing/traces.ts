// The ways of people's feet in the last seconds, of one camera.

import type { Track } from "../protocol.ts";
import { type Point, feetOf } from "./skeleton.ts";

export interface Step {
  /** When the frame was captured, in milliseconds. */
  at: number;
  feet: Point;
  floor: Point | null;
  /** Height of the box, in source pixels: the measure of speeds where there are no metres. */
  height: number;
}

export const TRACE_MS = 5000;
const MOST_STEPS = 200;
const SPEED_MS = 1000;
const MOST_PEOPLE = 500;

/** How fast somebody moves: in metres a second, or in body heights a second where the camera knows no metres. */
export interface Speed {
  value: number;
  unit: "m/s" | "body heights/s";
}

export class Traces {
  private epoch: number | null = null;
  private readonly ways = new Map<number, Step[]>();

  /** Adds a frame. The numbers of people begin anew with each epoch. */
  add(epoch: number, at: number, tracks: readonly Track[]): void {
    if (epoch !== this.epoch) this.ways.clear();
    this.epoch = epoch;
    for (const track of tracks) {
      if (track.state !== "confirmed") continue;
      const way = this.ways.get(track.id) ?? [];
      way.push({ at, feet: feetOf(track.box), floor: track.floor, height: track.box[3] - track.box[1] });
      if (way.length > MOST_STEPS) way.shift();
      this.ways.set(track.id, way);
    }
    for (const [id, way] of this.ways) {
      while (way.length > 0 && at - way[0]!.at > TRACE_MS) way.shift();
      if (way.length === 0 || this.ways.size > MOST_PEOPLE) this.ways.delete(id);
    }
  }

  of(id: number): readonly Step[] {
    return this.ways.get(id) ?? [];
  }

  /** Returns the speed over the last second; null for somebody who was not seen for half of it. */
  speed(id: number): Speed | null {
    const way = this.of(id);
    const last = way.at(-1);
    const first = last && way.find((step) => last.at - step.at <= SPEED_MS);
    if (!last || !first || last.at - first.at < SPEED_MS / 2) return null;
    const seconds = (last.at - first.at) / 1000;
    if (last.floor && first.floor) return { value: distance(first.floor, last.floor) / seconds, unit: "m/s" };
    return { value: distance(first.feet, last.feet) / Math.max(last.height, 1) / seconds, unit: "body heights/s" };
  }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
