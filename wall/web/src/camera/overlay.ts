// Draws a frame of the page's own camera with its people, as in a mirror if the person wants that.

import { INK, colorOf } from "../drawing/colors.ts";
import { contain, lineWidth, onCanvas } from "../drawing/fit.ts";
import { strokeSkeleton } from "../drawing/paint.ts";
import { type Point, inDrawingOrder, skeletonOf } from "../drawing/skeleton.ts";
import type { Track } from "../protocol.ts";

export interface OwnFrame {
  picture: CanvasImageSource;
  size: Point;
  tracks: readonly Track[];
}

/** The tracks as they look in a mirror: numbers and names stay readable, because only positions change. */
export function mirrored(tracks: readonly Track[], width: number): Track[] {
  return tracks.map((track) => ({
    ...track,
    box: [width - track.box[2], track.box[1], width - track.box[0], track.box[3]],
    keypoints: track.keypoints?.map(([x, y, confidence]) => [width - x, y, confidence]) ?? null,
  }));
}

export function drawOwnFrame(canvas: HTMLCanvasElement, frame: OwnFrame, mirror: boolean, ratio: number): void {
  const context = canvas.getContext("2d");
  if (context === null || canvas.width === 0) return;
  const place = contain(frame.size, [canvas.width, canvas.height]);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (mirror) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
  context.drawImage(frame.picture, place.left, place.top, place.width, place.height);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.lineCap = context.lineJoin = "round";
  for (const track of inDrawingOrder(mirror ? mirrored(frame.tracks, frame.size[0]) : frame.tracks)) {
    const color = colorOf(track.id);
    const width = lineWidth(place, track.box[3] - track.box[1]);
    strokeSkeleton(context, place, skeletonOf(track.keypoints), color, width);
    const [left, top] = onCanvas(place, [track.box[0], track.box[1]]);
    writeNumber(context, track, left, Math.max(place.top, top), color, ratio);
  }
}

function writeNumber(
  context: CanvasRenderingContext2D,
  track: Track,
  left: number,
  top: number,
  color: string,
  ratio: number,
): void {
  const text = track.action ? `${track.id} ${track.action}` : String(track.id);
  context.font = `600 ${14 * ratio}px system-ui, sans-serif`;
  context.textBaseline = "top";
  const width = context.measureText(text).width + 10 * ratio;
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(Math.max(0, left), top, width, 20 * ratio, 4 * ratio);
  context.fill();
  context.fillStyle = INK;
  context.fillText(text, Math.max(0, left) + 5 * ratio, top + 3 * ratio);
}
