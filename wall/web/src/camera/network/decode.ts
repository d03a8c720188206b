// What goes into the pose network and what comes out of it: letterbox, candidates, suppression, keypoints. Pure.
// The same arithmetic as workers/images/preprocess.py and workers/outputs/postprocess.py.

import type { Person } from "../messages.ts";

export const KEYPOINTS = 17;
const ROWS = 5 + 3 * KEYPOINTS;
const STRIDE = 32;
const GREY = 114 / 255;

/** How a frame lies in the input of the network: its size there, the padding at left and top, and the input's size. */
export interface Letterbox {
  scale: [number, number];
  inner: [number, number];
  pad: [number, number];
  input: [number, number];
}

export interface Limits {
  score: number;
  iou: number;
  people: number;
}

export const LIMITS: Limits = { score: 0.2, iou: 0.7, people: 12 };

/** Fits a frame of width x height into sides of at most `imgsz`, padded to whole strides, as in training. */
export function letterbox(width: number, height: number, imgsz: number): Letterbox {
  const ratio = Math.min(imgsz / width, imgsz / height);
  const inner: [number, number] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  const scale: [number, number] = [inner[0] / width, inner[1] / height];
  const input = inner.map((side) => Math.ceil(side / STRIDE) * STRIDE) as [number, number];
  const pad = input.map((side, axis) => Math.max(0, Math.round((side - inner[axis]!) / 2 - 0.1))) as [number, number];
  return { scale, inner, pad, input };
}

/** Turns RGBA rows of the inner picture into the planes R, G, B of the padded input, each value from 0 to 1. */
export function planes(rgba: Uint8ClampedArray, box: Letterbox): Float32Array<ArrayBuffer> {
  const [width, height] = box.input;
  const area = width * height;
  const out = new Float32Array(3 * area).fill(GREY);
  const [innerWidth, innerHeight] = box.inner;
  for (let y = 0; y < innerHeight; y++) {
    let from = 4 * y * innerWidth;
    let to = (y + box.pad[1]) * width + box.pad[0];
    for (let x = 0; x < innerWidth; x++, from += 4, to++) {
      out[to] = rgba[from]! / 255;
      out[to + area] = rgba[from + 1]! / 255;
      out[to + 2 * area] = rgba[from + 2]! / 255;
    }
  }
  return out;
}

/** The people in an output of 56 rows of `columns` candidates, in pixels of the frame, best first. */
export function peopleOf(output: Float32Array, columns: number, box: Letterbox, limits: Limits = LIMITS): Person[] {
  if (output.length !== ROWS * columns) throw new Error(`the network gave ${output.length} numbers, not 56 rows`);
  const candidates: number[] = [];
  for (let column = 0; column < columns; column++)
    if (output[4 * columns + column]! > limits.score) candidates.push(column);
  const at = (row: number, column: number): number => output[row * columns + column]!;
  candidates.sort((a, b) => at(4, b) - at(4, a));
  const kept: { column: number; corners: Corners }[] = [];
  for (const column of candidates) {
    if (kept.length >= limits.people) break;
    const [x, y, w, h] = [at(0, column), at(1, column), at(2, column), at(3, column)];
    const corners: Corners = [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
    if (kept.every((other) => iou(other.corners, corners) <= limits.iou)) kept.push({ column, corners });
  }
  const inFrame = (value: number, axis: number): number => {
    const size = box.inner[axis]! / box.scale[axis]!;
    return Math.min(Math.max((value - box.pad[axis]!) / box.scale[axis]!, 0), size);
  };
  return kept
    .map(({ column, corners }): Person => ({
      score: Math.min(1, at(4, column)),
      box: [inFrame(corners[0], 0), inFrame(corners[1], 1), inFrame(corners[2], 0), inFrame(corners[3], 1)],
      keypoints: Array.from({ length: KEYPOINTS }, (_, joint): [number, number, number] => [
        inFrame(at(5 + 3 * joint, column), 0),
        inFrame(at(6 + 3 * joint, column), 1),
        Math.min(1, Math.max(0, at(7 + 3 * joint, column))),
      ]),
    }))
    .filter((person) => person.box[2] - person.box[0] >= 1 && person.box[3] - person.box[1] >= 1);
}

type Corners = [number, number, number, number];

/** The area that two boxes share, divided by the area that they cover together. */
export function iou(a: Corners, b: Corners): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared);
}

/** Sizes of the network's input that are tried, in pixels. */
export const SIZES = [256, 320, 416, 512, 640] as const;
const BUDGET_MS = 90;
const ROOM = 0.7;

/** The size for the next frames: smaller if one takes longer than the budget, larger if the next size would fit. */
export function nextSize(size: number, tookMs: number): number {
  const index = SIZES.findIndex((one) => one >= size);
  const larger = SIZES[index + 1];
  if (tookMs > BUDGET_MS && index > 0) return SIZES[index - 1]!;
  if (larger !== undefined && tookMs * (larger / size) ** 2 < ROOM * BUDGET_MS) return larger;
  return size;
}
