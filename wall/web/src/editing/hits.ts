// What is under the pointer: a point, an edge, or the inside of a shape. Pure; all in pixels of the source.

import { type Point, type Size, distance, edgeDistance, isInside } from "./geometry.ts";
import { type Drawing, type ShapeId, hasFreePoints, pixelsOf, shapesOf } from "./model.ts";

export type Hit =
  | { kind: "point"; id: ShapeId; at: number }
  /** Between the points `at` and the next one. */
  | { kind: "edge"; id: ShapeId; at: number }
  | { kind: "inside"; id: ShapeId };

/** What `place` is on. The selected shape comes first, then points before edges before insides; `reach` in pixels. */
export function hitAt(drawing: Drawing, place: Point, size: Size, reach: number, selected: ShapeId | null): Hit | null {
  const all = shapesOf(drawing);
  const shapes = [...all.filter((id) => id === selected), ...all.filter((id) => id !== selected).reverse()];
  for (const id of shapes) {
    const points = pixelsOf(drawing, id, size);
    const near = points.map((point, at) => ({ at, far: distance(point, place) })).sort((a, b) => a.far - b.far)[0];
    if (near !== undefined && near.far <= reach) return { kind: "point", id, at: near.at };
  }
  for (const id of shapes) {
    const points = pixelsOf(drawing, id, size);
    const sides = isOpen(drawing, id) ? points.length - 1 : points.length;
    for (let at = 0; at < sides; at++) {
      const far = edgeDistance(place, points[at]!, points[(at + 1) % points.length]!);
      if (far <= reach * 0.7) return hasFreePoints(drawing, id) ? { kind: "edge", id, at } : { kind: "inside", id };
    }
  }
  for (const id of shapes) {
    if (!isOpen(drawing, id) && isInside(place, pixelsOf(drawing, id, size))) return { kind: "inside", id };
  }
  return null;
}

export function isOpen(drawing: Drawing, id: ShapeId): boolean {
  return id !== "ground" && drawing.rules[id]?.shape === "line";
}

/** The next point for Tab, over all shapes; null beyond the last one, where Tab leaves the picture. */
export function nextPoint(
  drawing: Drawing,
  from: { id: ShapeId; at: number } | null,
  step: 1 | -1,
): { id: ShapeId; at: number } | null {
  const all = shapesOf(drawing).flatMap((id) => {
    const points = id === "ground" ? drawing.ground!.points : drawing.rules[id]!.points!;
    return points.map((_, at) => ({ id, at }));
  });
  const now = from === null ? -1 : all.findIndex((one) => one.id === from.id && one.at === from.at);
  if (now < 0) return (step === 1 ? all[0] : all[all.length - 1]) ?? null;
  return all[now + step] ?? null;
}
