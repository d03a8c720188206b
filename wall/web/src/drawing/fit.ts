// Where a frame lies on its canvas. Pure.

import type { Point } from "./skeleton.ts";

/** A rectangle on the canvas, and the canvas pixels of one source pixel. */
export interface Place {
  left: number;
  top: number;
  width: number;
  height: number;
  scale: number;
}

/** Returns the largest place for a frame of `size` in the middle of a canvas, its aspect kept. */
export function contain(size: Point, canvas: Point): Place {
  const scale = Math.min(canvas[0] / size[0], canvas[1] / size[1]);
  const [width, height] = [size[0] * scale, size[1] * scale];
  return { left: (canvas[0] - width) / 2, top: (canvas[1] - height) / 2, width, height, scale };
}

/** Returns where a point of the source lies on the canvas. */
export function onCanvas(place: Place, point: Point): Point {
  return [place.left + point[0] * place.scale, place.top + point[1] * place.scale];
}

/** Returns how wide lines are, in canvas pixels, so that they neither cover tiny people nor are too thin on near ones. */
export function lineWidth(place: Place, boxHeight: number): number {
  return Math.max(1, Math.min(Math.min(place.width, place.height) / 230, (boxHeight * place.scale) / 60));
}

/** Returns the points of a rule in source pixels; shares of the picture if none is over 1. */
export function inSourcePixels(points: readonly Point[], size: Point): Point[] {
  const shares = points.every(([x, y]) => x <= 1 && y <= 1);
  return points.map(([x, y]) => (shares ? [x * size[0], y * size[1]] : [x, y]));
}

/**
 * Returns the two places beside the middle of a line for the letters of its sides: a is left of the way from the first
 * to the second point, as in the events of lines.
 */
export function sidesOf(start: Point, end: Point, away: number): { a: Point; b: Point; towardsB: Point } {
  const [dx, dy] = [end[0] - start[0], end[1] - start[1]];
  const length = Math.max(Math.hypot(dx, dy), 1e-9);
  const left: Point = [dy / length, -dx / length];
  const middle: Point = [(start[0] + end[0]) / 2, (start[1] + end[1]) / 2];
  return {
    a: [middle[0] + left[0] * away, middle[1] + left[1] * away],
    b: [middle[0] - left[0] * away, middle[1] - left[1] * away],
    towardsB: [-left[0], -left[1]],
  };
}

/** Returns the upper left corner of the box around points: where a name may stand. */
export function upperLeft(points: readonly Point[]): Point {
  return [Math.min(...points.map(([x]) => x)), Math.min(...points.map(([, y]) => y))];
}
