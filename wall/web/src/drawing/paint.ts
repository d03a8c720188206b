// Draws a frame onto a canvas: picture, rules, traces and people, all of the same frame.

import type { RuleShape, Track } from "../protocol.ts";
import type { ShownFrame } from "../live/feeds.ts";
import { INK, PAPER, colorOf } from "./colors.ts";
import { type Place, contain, inSourcePixels, lineWidth, onCanvas, sidesOf, upperLeft } from "./fit.ts";
import { type Point, type Skeleton, inDrawingOrder, skeletonOf } from "./skeleton.ts";
import type { Traces } from "./traces.ts";

export interface Scene {
  frame: ShownFrame;
  traces: Traces | null;
  rules: readonly RuleShape[];
  /** Whether the picture itself is drawn. */
  pictures: boolean;
  /** Names of rules whose events have just come. */
  highlighted: ReadonlySet<string>;
  /** Small tiles leave out names of rules and actions. */
  names: boolean;
  ratio: number;
}

const RULE = "rgb(235 240 246 / 85%)";
const RULE_FILL = "rgb(235 240 246 / 7%)";
const HIT = "#ffb454";
const HIT_FILL = "rgb(255 180 84 / 24%)";

/** Draws the scene over the whole canvas and returns where the picture lies on it. */
export function paint(canvas: HTMLCanvasElement, scene: Scene): Place | null {
  const context = canvas.getContext("2d");
  if (context === null || canvas.width === 0 || canvas.height === 0) return null;
  const { header, bitmap } = scene.frame;
  const place = contain(header.size, [canvas.width, canvas.height]);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = PAPER;
  context.fillRect(place.left, place.top, place.width, place.height);
  if (bitmap !== null && scene.pictures) context.drawImage(bitmap, place.left, place.top, place.width, place.height);
  context.save();
  context.beginPath();
  context.rect(place.left, place.top, place.width, place.height);
  context.clip();
  context.lineCap = context.lineJoin = "round";
  for (const rule of scene.rules) paintRule(context, place, rule, scene);
  const tracks = inDrawingOrder(header.tracks);
  for (const track of tracks) paintTrace(context, place, track, scene);
  for (const track of tracks) paintPerson(context, place, track, scene.ratio, scene.names);
  context.restore();
  return place;
}

function paintRule(context: CanvasRenderingContext2D, place: Place, rule: RuleShape, scene: Scene): void {
  const points = inSourcePixels(rule.points, scene.frame.header.size).map((point) => onCanvas(place, point));
  const hit = scene.highlighted.has(rule.name);
  const width = (hit ? 2.5 : 1.5) * scene.ratio;
  path(context, points, rule.shape === "polygon");
  if (rule.shape === "polygon") {
    context.fillStyle = hit ? HIT_FILL : RULE_FILL;
    context.fill();
  }
  stroke(context, "rgb(10 14 20 / 60%)", width + 2 * scene.ratio);
  stroke(context, hit ? HIT : RULE, width);
  if (rule.shape === "line") paintSides(context, points, hit ? HIT : RULE, scene);
  if (scene.names) {
    const [x, y] = upperLeft(points);
    write(
      context,
      rule.name,
      Math.max(x, place.left) + 5 * scene.ratio,
      Math.max(y - 5 * scene.ratio, place.top + 15 * scene.ratio),
      hit ? HIT : RULE,
      12 * scene.ratio,
    );
  }
}

/** The arrow goes over the line from side a to side b, the direction that events call a_to_b. */
function paintSides(context: CanvasRenderingContext2D, points: readonly Point[], color: string, scene: Scene): void {
  const size = (scene.names ? 14 : 9) * scene.ratio;
  const { a, b, towardsB } = sidesOf(points[0]!, points[1]!, size);
  const [dx, dy] = [towardsB[0] * size * 0.6, towardsB[1] * size * 0.6];
  path(context, [a, b], false);
  context.moveTo(b[0] - dx - dy * 0.8, b[1] - dy + dx * 0.8);
  context.lineTo(b[0], b[1]);
  context.lineTo(b[0] - dx + dy * 0.8, b[1] - dy - dx * 0.8);
  stroke(context, "rgb(10 14 20 / 60%)", 3.5 * scene.ratio);
  stroke(context, color, 1.5 * scene.ratio);
}

function paintTrace(context: CanvasRenderingContext2D, place: Place, track: Track, scene: Scene): void {
  const way = scene.traces?.of(track.id) ?? [];
  if (way.length < 2) return;
  const newest = way.at(-1)!.at;
  const oldest = Math.min(way[0]!.at, newest - 1);
  context.strokeStyle = colorOf(track.id);
  context.lineWidth = Math.max(1.5 * scene.ratio, lineWidth(place, track.box[3] - track.box[1]));
  for (let index = 1; index < way.length; index++) {
    const step = way[index]!;
    context.globalAlpha = 0.1 + (0.6 * (step.at - oldest)) / (newest - oldest);
    path(context, [onCanvas(place, way[index - 1]!.feet), onCanvas(place, step.feet)], false);
    context.stroke();
  }
  context.globalAlpha = 1;
}

function paintPerson(
  context: CanvasRenderingContext2D,
  place: Place,
  track: Track,
  ratio: number,
  names: boolean,
): void {
  const color = colorOf(track.id);
  const lost = track.state === "lost";
  const width = lost ? ratio : lineWidth(place, track.box[3] - track.box[1]);
  paintBox(context, place, track, color, lost ? ratio : Math.max(ratio, width / 2), ratio);
  if (!lost) strokeSkeleton(context, place, skeletonOf(track.keypoints), color, width);
  const text = track.action && names ? `${track.id} ${track.action}` : String(track.id);
  paintLabel(context, place, track, text, color, names ? ratio : 0.85 * ratio);
}

function paintBox(
  context: CanvasRenderingContext2D,
  place: Place,
  track: Track,
  color: string,
  width: number,
  ratio: number,
): void {
  const [left, top] = onCanvas(place, [track.box[0], track.box[1]]);
  const [right, bottom] = onCanvas(place, [track.box[2], track.box[3]]);
  context.globalAlpha = track.state === "lost" ? 0.7 : 0.45;
  context.setLineDash(track.state === "lost" ? [4 * ratio, 4 * ratio] : []);
  context.strokeStyle = color;
  context.lineWidth = width;
  context.strokeRect(left, top, right - left, bottom - top);
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** Draws limbs and joints; `width` is that of limbs, in canvas pixels. */
export function strokeSkeleton(
  context: CanvasRenderingContext2D,
  place: Place,
  { limbs, joints }: Skeleton,
  color: string,
  width: number,
): void {
  context.beginPath();
  for (const [start, end] of limbs) {
    context.moveTo(...onCanvas(place, start));
    context.lineTo(...onCanvas(place, end));
  }
  // A dark rim makes light limbs visible on a white shirt; it would cover tiny people.
  if (width > 1.2) stroke(context, INK, width * 1.9);
  stroke(context, color, width);
  if (width <= 1.2) return;
  for (const joint of joints) {
    const [x, y] = onCanvas(place, joint.at);
    const radius = width * (joint.face ? 0.6 : 0.95);
    dot(context, x, y, radius + width * 0.35, INK);
    dot(context, x, y, radius, "#fff");
  }
}

function paintLabel(
  context: CanvasRenderingContext2D,
  place: Place,
  track: Track,
  text: string,
  color: string,
  ratio: number,
): void {
  const size = 12 * ratio;
  const pad = 4 * ratio;
  context.font = `600 ${size}px system-ui, sans-serif`;
  const [width, height] = [context.measureText(text).width + 2 * pad, size + 1.2 * pad];
  const [boxLeft, boxTop] = onCanvas(place, [track.box[0], track.box[1]]);
  const left = Math.min(Math.max(boxLeft, place.left), place.left + place.width - width);
  const top = Math.min(
    Math.max(boxTop >= place.top + height ? boxTop - height : boxTop, place.top),
    place.top + place.height - height,
  );
  const lost = track.state === "lost";
  context.fillStyle = lost ? INK : color;
  context.beginPath();
  context.roundRect(left, top, width, height, 3 * ratio);
  context.fill();
  context.fillStyle = lost ? color : INK;
  context.textBaseline = "middle";
  context.fillText(text, left + pad, top + height / 2 + 0.5 * ratio);
}

function write(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  color: string,
  size: number,
): void {
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "alphabetic";
  context.strokeStyle = "rgb(10 14 20 / 75%)";
  context.lineWidth = size / 4;
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
}

function path(context: CanvasRenderingContext2D, points: readonly Point[], closed: boolean): void {
  context.beginPath();
  points.forEach((point, index) => (index === 0 ? context.moveTo(...point) : context.lineTo(...point)));
  if (closed) context.closePath();
}

function stroke(context: CanvasRenderingContext2D, color: string, width: number): void {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke();
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number, color: string): void {
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
