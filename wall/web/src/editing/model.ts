// What is drawn: rules with their shapes and the ground points, and every change of them with undo. Pure.

import type { Point, Size } from "./geometry.ts";

/** A rule as the configuration has it. `points` are pixels of the source, or parts of the picture's sides. */
export interface Rule {
  name: string;
  kind: string;
  shape: "polygon" | "line" | null;
  points: readonly Point[] | null;
  settings: Readonly<Record<string, unknown>>;
}

/** Four places of the floor, in the picture and in metres. */
export interface Ground {
  points: readonly Point[];
  metres: readonly Point[];
  floor_size_m?: Point;
}

export interface Drawing {
  rules: readonly Rule[];
  ground: Ground | null;
}

/** One shape: the number of a rule, or the ground points. */
export type ShapeId = number | "ground";

export const MOST_POINTS = 100;
export const GROUND_POINTS = 4;

/** Whether coordinates are parts of the picture's width and height; the configuration reads them by this very rule. */
export function inParts(points: readonly Point[]): boolean {
  return points.every(([x, y]) => x <= 1 && y <= 1);
}

/** A point as the configuration has it, from one in pixels: whole pixels, or parts with four decimals. */
export function asWritten(px: Point, parts: boolean, size: Size): Point {
  const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;
  return parts ? [rounded(px[0] / size[0]), rounded(px[1] / size[1])] : [Math.round(px[0]), Math.round(px[1])];
}

export function inPixels(point: Point, parts: boolean, size: Size): Point {
  return parts ? [point[0] * size[0], point[1] * size[1]] : point;
}

/** The points of a shape as they are written, an empty list where it has none. */
export function pointsOf(drawing: Drawing, id: ShapeId): readonly Point[] {
  return (id === "ground" ? drawing.ground?.points : drawing.rules[id]?.points) ?? [];
}

/** The points of a shape in pixels of the source. */
export function pixelsOf(drawing: Drawing, id: ShapeId, size: Size): Point[] {
  const points = pointsOf(drawing, id);
  const parts = inParts(points);
  return points.map((point) => inPixels(point, parts, size));
}

/** All shapes that can be seen, in the order of the list. */
export function shapesOf(drawing: Drawing): ShapeId[] {
  const rules = drawing.rules.flatMap((rule, index) => (rule.points === null ? [] : [index]));
  return drawing.ground === null ? rules : [...rules, "ground"];
}

export function nameOf(drawing: Drawing, id: ShapeId): string {
  return id === "ground" ? "ground points" : (drawing.rules[id]?.name ?? "");
}

export function fewestPoints(drawing: Drawing, id: ShapeId): number {
  if (id === "ground") return GROUND_POINTS;
  return drawing.rules[id]?.shape === "line" ? 2 : 3;
}

/** Whether points may be added to a shape and taken away from it. */
export function hasFreePoints(drawing: Drawing, id: ShapeId): boolean {
  return id !== "ground" && drawing.rules[id]?.shape !== "line";
}

export function withPoints(drawing: Drawing, id: ShapeId, points: readonly Point[] | null): Drawing {
  if (id === "ground") {
    return drawing.ground === null || points === null ? drawing : { ...drawing, ground: { ...drawing.ground, points } };
  }
  return withRule(drawing, id, { points });
}

export function withRule(drawing: Drawing, index: number, change: Partial<Rule>): Drawing {
  return { ...drawing, rules: drawing.rules.map((rule, at) => (at === index ? { ...rule, ...change } : rule)) };
}

/** Another value of a setting; undefined goes back to the default. */
export function withSetting(drawing: Drawing, index: number, name: string, value: unknown): Drawing {
  const { [name]: _, ...rest } = drawing.rules[index]?.settings ?? {};
  return withRule(drawing, index, { settings: value === undefined ? rest : { ...rest, [name]: value } });
}

export function withoutShape(drawing: Drawing, id: ShapeId): Drawing {
  if (id === "ground") return { ...drawing, ground: null };
  return { ...drawing, rules: drawing.rules.filter((_, index) => index !== id) };
}

/** One point at another place, in pixels; the others stay as they are written. */
export function withPointAt(drawing: Drawing, id: ShapeId, at: number, px: Point, size: Size): Drawing {
  const points = pointsOf(drawing, id);
  const moved = asWritten(px, inParts(points), size);
  return withPoints(drawing, id, points.map((point, index) => (index === at ? moved : point)));
}

/** A whole shape moved by so many pixels. */
export function withShapeMoved(drawing: Drawing, id: ShapeId, by: Point, size: Size): Drawing {
  const points = pointsOf(drawing, id);
  const parts = inParts(points);
  const moved = points.map((point) => {
    const px = inPixels(point, parts, size);
    return asWritten([px[0] + by[0], px[1] + by[1]], parts, size);
  });
  return withPoints(drawing, id, moved);
}

/** One more point after the point `after`, in pixels. */
export function withPointAdded(drawing: Drawing, id: ShapeId, after: number, px: Point, size: Size): Drawing {
  const points = pointsOf(drawing, id);
  if (!hasFreePoints(drawing, id) || points.length >= MOST_POINTS) return drawing;
  const added = asWritten(px, inParts(points), size);
  return withPoints(drawing, id, [...points.slice(0, after + 1), added, ...points.slice(after + 1)]);
}

export function withoutPoint(drawing: Drawing, id: ShapeId, at: number): Drawing {
  const points = pointsOf(drawing, id);
  if (!hasFreePoints(drawing, id) || points.length <= fewestPoints(drawing, id)) return drawing;
  return withPoints(drawing, id, points.filter((_, index) => index !== at));
}

/** A name that no rule has: `zone`, `zone-2`, … */
export function freeName(drawing: Drawing, stem: string): string {
  const taken = new Set(drawing.rules.map((rule) => rule.name));
  if (!taken.has(stem)) return stem;
  let number = 2;
  while (taken.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

export function withNewRule(drawing: Drawing, kind: string, points: readonly Point[] | null): Drawing {
  const shape = kind === "line" ? "line" : "polygon";
  return { ...drawing, rules: [...drawing.rules, { name: freeName(drawing, kind), kind, shape, points, settings: {} }] };
}

/** Ground points, with the metres of a rectangle of 4 by 4 until somebody measures. */
export function withNewGround(drawing: Drawing, points: readonly Point[]): Drawing {
  return { ...drawing, ground: { points, metres: [[0, 0], [4, 0], [4, 4], [0, 4]] } };
}

/** Steps back and forth through drawings. */
export class History {
  private past: Drawing[] = [];
  private future: Drawing[] = [];
  now: Drawing;

  constructor(drawing: Drawing) {
    this.now = drawing;
  }

  /** Goes on with `drawing`; nothing is remembered where nothing is different. */
  change(drawing: Drawing): void {
    if (same(drawing, this.now)) return;
    this.past.push(this.now);
    if (this.past.length > 500) this.past.shift();
    this.future = [];
    this.now = drawing;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  undo(): void {
    const before = this.past.pop();
    if (before === undefined) return;
    this.future.push(this.now);
    this.now = before;
  }

  redo(): void {
    const after = this.future.pop();
    if (after === undefined) return;
    this.past.push(this.now);
    this.now = after;
  }
}

export function same(one: Drawing, other: Drawing): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
