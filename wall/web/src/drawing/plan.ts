// The maths of the floor plan: metres on a canvas. Pure.

import type { Point } from "./skeleton.ts";

export type Bounds = readonly [number, number, number, number];

/** Where metres lie on a canvas; y grows away from the viewer, so it points up. */
export interface PlanPlace {
  scale: number;
  left: number;
  bottom: number;
  bounds: Bounds;
}

const MARGIN_PX = 28;
const NICE_M = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** Returns the place of a floor on a canvas of the given size, with a tenth of room around it. */
export function planPlace(floor: Bounds, width: number, height: number): PlanPlace {
  const room = 0.1 * Math.max(floor[2] - floor[0], floor[3] - floor[1], 1);
  const bounds: Bounds = [floor[0] - room, floor[1] - room, floor[2] + room, floor[3] + room];
  const [across, along] = [bounds[2] - bounds[0], bounds[3] - bounds[1]];
  const scale = Math.max(1e-6, Math.min((width - 2 * MARGIN_PX) / across, (height - 2 * MARGIN_PX) / along));
  return { scale, left: (width - across * scale) / 2, bottom: (height + along * scale) / 2, bounds };
}

export function onPlan(place: PlanPlace, metres: Point): Point {
  return [
    place.left + (metres[0] - place.bounds[0]) * place.scale,
    place.bottom - (metres[1] - place.bounds[1]) * place.scale,
  ];
}

/** Returns the length of the scale bar in metres: a round one of about a fifth of the width. */
export function scaleBar(place: PlanPlace, width: number): number {
  const most = width / 5 / place.scale;
  return [...NICE_M].reverse().find((metres) => metres <= most) ?? NICE_M[0]!;
}

/** Returns a round distance between the lines of the grid, at least 24 pixels. */
export function gridStep(place: PlanPlace): number {
  return NICE_M.find((metres) => metres * place.scale >= 24) ?? NICE_M.at(-1)!;
}

/** Returns the multiples of `step` from `least` to `most`. */
export function gridLines(least: number, most: number, step: number): number[] {
  const first = Math.ceil(least / step - 1e-9);
  const count = Math.max(0, Math.floor(most / step + 1e-9) - first + 1);
  return Array.from({ length: Math.min(count, 500) }, (_, index) => (first + index) * step);
}
