// Takes frames from the video: turned as the person wants them, no larger than they are needed, never mirrored.

export type Turn = 0 | 90 | 180 | 270;
export type Canvas = OffscreenCanvas;

/** The size of a frame after turning it and reducing its longest side to `side`. */
export function frameSize(width: number, height: number, turn: Turn, side: number): [number, number] {
  const [w, h] = turn % 180 === 0 ? [width, height] : [height, width];
  const scale = Math.min(1, side / Math.max(w, h));
  return [Math.max(2, Math.round(w * scale)), Math.max(2, Math.round(h * scale))];
}

/** Canvases that are used again: a new one for each frame would cost as much as the drawing. */
export class CanvasPool {
  private readonly free: Canvas[] = [];

  take(width: number, height: number): Canvas {
    const canvas = this.free.pop() ?? new OffscreenCanvas(width, height);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    return canvas;
  }

  give(canvas: Canvas): void {
    if (this.free.length < 8) this.free.push(canvas);
  }
}

/** Draws the video's present picture into a canvas of the pool; null while there is none. */
export function grab(video: HTMLVideoElement, turn: Turn, side: number, pool: CanvasPool): Canvas | null {
  const [width, height] = [video.videoWidth, video.videoHeight];
  if (width === 0 || height === 0) return null;
  const [w, h] = frameSize(width, height, turn, side);
  const canvas = pool.take(w, h);
  const context = canvas.getContext("2d")!;
  const [innerWidth, innerHeight] = turn % 180 === 0 ? [w, h] : [h, w];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.translate(w / 2, h / 2);
  context.rotate((turn * Math.PI) / 180);
  context.drawImage(video, -innerWidth / 2, -innerHeight / 2, innerWidth, innerHeight);
  return canvas;
}

export async function jpegOf(canvas: Canvas, quality: number): Promise<ArrayBuffer> {
  return (await canvas.convertToBlob({ type: "image/jpeg", quality })).arrayBuffer();
}
