// What is drawn of a body: which joints, and which lines between them. Pure; the rules are those of posebus' videos.

import type { Track } from "../protocol.ts";

/** Joints of a lower confidence are not drawn: the network guesses them, for instance behind a wall. */
export const MIN_CONFIDENCE = 0.5;

/** Pairs of COCO keypoints that a line joins. */
export const LIMBS: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [1, 3],
  [2, 4], // face
  [5, 6],
  [5, 11],
  [6, 12],
  [11, 12], // trunk
  [5, 7],
  [7, 9],
  [6, 8],
  [8, 10], // arms
  [11, 13],
  [13, 15],
  [12, 14],
  [14, 16], // legs
];

const NOSE = 0;
const LEFT_SHOULDER = 5;
const RIGHT_SHOULDER = 6;
const FACE = 5;

export type Point = readonly [number, number];

export interface Joint {
  at: Point;
  /** Joints of the face are drawn smaller. */
  face: boolean;
}

export interface Skeleton {
  limbs: [Point, Point][];
  joints: Joint[];
}

/** Returns the limbs and joints to draw, in the coordinates of the keypoints. */
export function skeletonOf(keypoints: Track["keypoints"]): Skeleton {
  const skeleton: Skeleton = { limbs: [], joints: [] };
  if (keypoints === null) return skeleton;
  const known = keypoints.map(([x, y, confidence]): Point | null => (confidence >= MIN_CONFIDENCE ? [x, y] : null));
  for (const [first, second] of LIMBS) {
    const [start, end] = [known[first], known[second]];
    if (start && end) skeleton.limbs.push([start, end]);
  }
  const [nose, left, right] = [known[NOSE], known[LEFT_SHOULDER], known[RIGHT_SHOULDER]];
  if (nose && left && right) skeleton.limbs.push([[(left[0] + right[0]) / 2, (left[1] + right[1]) / 2], nose]);
  known.forEach((at, index) => at && skeleton.joints.push({ at, face: index < FACE }));
  return skeleton;
}

/** Returns the tracks to draw, in the order to draw them: predicted people behind detected ones, the nearest last. */
export function inDrawingOrder(tracks: readonly Track[]): Track[] {
  const shown = tracks.filter((track) => track.state === "confirmed" || track.state === "lost");
  return shown.sort((a, b) => Number(a.state === "confirmed") - Number(b.state === "confirmed") || a.box[3] - b.box[3]);
}

/** Where a person stands: the middle of the lower edge of the box. */
export function feetOf(box: Track["box"]): Point {
  return [(box[0] + box[2]) / 2, box[3]];
}
