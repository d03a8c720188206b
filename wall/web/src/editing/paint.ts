// Paints the picture with all shapes on a canvas. Lengths on the canvas are CSS pixels.

import { type Point, midpoint } from "./geometry.ts";
import { isOpen } from "./hits.ts";
import { type ShapeId, pixelsOf, shapesOf } from "./model.ts";
import { pathOf, problemsAt } from "./problems.ts";
import type { Session } from "./session.ts";

const COLORS = ["#4fd1a5", "#6cb8ff", "#f2b84b", "#d69bff", "#ff9e80", "#9be15d"];
const WRONG = "#ff5d52";
const GROUND = "#ffffff";
const HANDLE_PX = 6;

export interface Canvas2d {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
}

export function paint(canvas: Canvas2d, session: Session, picture: CanvasImageSource | null): void {
  const { context, width, height } = canvas;
  context.clearRect(0, 0, width, height);
  if (picture !== null) context.drawImage(picture, 0, 0, width, height);
  else {
    context.fillStyle = "#1a222d";
    context.fillRect(0, 0, width, height);
    label(context, "no picture yet", [width / 2, height / 2], "#e8eef5");
  }
  const scale = width / session.size[0];
  for (const id of shapesOf(session.drawing)) paintShape(context, session, id, scale);
  paintSketch(context, session, scale);
}

function colorOf(session: Session, id: ShapeId): string {
  if (problemsAt(session.problems, pathOf(session.drawing, id)).length > 0) return WRONG;
  return id === "ground" ? GROUND : COLORS[id % COLORS.length]!;
}

function paintShape(context: CanvasRenderingContext2D, session: Session, id: ShapeId, scale: number): void {
  const points = pixelsOf(session.drawing, id, session.size).map(([x, y]): Point => [x * scale, y * scale]);
  if (points.length < 2) return;
  const color = colorOf(session, id);
  const isSelected = session.selection?.id === id;
  const open = isOpen(session.drawing, id);
  context.save();
  path(context, points, !open);
  if (!open) {
    context.globalAlpha = isSelected ? 0.26 : 0.14;
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
  }
  line(context, color, isSelected ? 3 : 2, color === WRONG || id === "ground");
  if (open) paintDirection(context, points, color);
  if (id === "ground") points.forEach((point, at) => label(context, String(at + 1), [point[0] + 9, point[1] - 9], GROUND));
  else label(context, session.drawing.rules[id]!.name, labelPlace(points), color);
  if (isSelected) points.forEach((point, at) => handle(context, point, color, session.selection?.at === at));
  context.restore();
}

function paintSketch(context: CanvasRenderingContext2D, session: Session, scale: number): void {
  if (session.tool === null) return;
  const points = session.sketch.map(([x, y]): Point => [x * scale, y * scale]);
  const cursor: Point | null = session.cursor && [session.cursor[0] * scale, session.cursor[1] * scale];
  const all = cursor === null ? points : [...points, cursor];
  if (all.length > 1) {
    path(context, all, false);
    line(context, "#ffffff", 2, true);
  }
  points.forEach((point) => handle(context, point, "#4fd1a5", false));
  if (cursor !== null) {
    context.beginPath();
    context.moveTo(cursor[0] - 10, cursor[1]);
    context.lineTo(cursor[0] + 10, cursor[1]);
    context.moveTo(cursor[0], cursor[1] - 10);
    context.lineTo(cursor[0], cursor[1] + 10);
    line(context, "#ffffff", 1.5, false);
  }
}

function path(context: CanvasRenderingContext2D, points: readonly Point[], closed: boolean): void {
  context.beginPath();
  points.forEach(([x, y], at) => (at === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  if (closed) context.closePath();
}

/** A stroke with a dark edge, so that it is seen on any picture. */
function line(context: CanvasRenderingContext2D, color: string, width: number, dashed: boolean): void {
  context.lineJoin = "round";
  context.setLineDash([]);
  context.strokeStyle = "rgb(0 0 0 / 65%)";
  context.lineWidth = width + 2.5;
  context.stroke();
  context.setLineDash(dashed ? [7, 5] : []);
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke();
  context.setLineDash([]);
}

/** The arrow from side a to side b: side a is left of the way from the first point to the second one. */
function paintDirection(context: CanvasRenderingContext2D, points: readonly Point[], color: string): void {
  const [a, b] = [points[0]!, points[1]!];
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  if (length < 1) return;
  // To the right of the way, on a screen whose y axis points down.
  const [rx, ry] = [-(b[1] - a[1]) / length, (b[0] - a[0]) / length];
  const [ux, uy] = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
  const middle = midpoint(a, b);
  const along = (right: number, up: number): Point => [
    middle[0] + rx * right + ux * up,
    middle[1] + ry * right + uy * up,
  ];
  path(context, [along(-22, 0), along(22, 0)], false);
  line(context, color, 2.5, false);
  path(context, [along(14, -7), along(24, 0), along(14, 7)], false);
  line(context, color, 2.5, false);
  label(context, "a", along(-36, 0), color);
  label(context, "b", along(38, 0), color);
}

function handle(context: CanvasRenderingContext2D, point: Point, color: string, isSelected: boolean): void {
  context.beginPath();
  context.arc(point[0], point[1], isSelected ? HANDLE_PX + 3 : HANDLE_PX, 0, 2 * Math.PI);
  context.fillStyle = isSelected ? "#ffffff" : color;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = isSelected ? color : "rgb(0 0 0 / 80%)";
  context.stroke();
}

function labelPlace(points: readonly Point[]): Point {
  const top = points.reduce((best, point) => (point[1] < best[1] ? point : best));
  return [top[0], Math.max(14, top[1] - 12)];
}

function label(context: CanvasRenderingContext2D, text: string, place: Point, color: string): void {
  context.font = "600 13px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const width = context.measureText(text).width;
  const room = context.canvas.clientWidth || place[0] * 2;
  const x = Math.min(Math.max(place[0], width / 2 + 6), Math.max(width / 2 + 6, room - width / 2 - 6));
  context.fillStyle = "rgb(0 0 0 / 72%)";
  context.beginPath();
  context.roundRect(x - width / 2 - 6, place[1] - 10, width + 12, 20, 5);
  context.fill();
  context.fillStyle = color;
  context.fillText(text, x, place[1] + 0.5);
}
