// The newest frames of the page's own camera, kept until their tracks come back, so that both are of the same moment.

export interface KeptFrame<Picture> {
  frame: number;
  picture: Picture;
  capturedAtMs: number;
  /** Its place in the stream of the camera, once the server has said it. */
  place: string | null;
}

export class FrameRing<Picture> {
  private readonly frames: KeptFrame<Picture>[] = [];
  private readonly most: number;
  private readonly release: (picture: Picture) => void;

  constructor(most: number, release: (picture: Picture) => void) {
    this.most = most;
    this.release = release;
  }

  add(frame: number, picture: Picture, capturedAtMs: number): void {
    this.frames.push({ frame, picture, capturedAtMs, place: null });
    while (this.frames.length > this.most) this.release(this.frames.shift()!.picture);
  }

  /** The server has numbered a frame. */
  place(frame: number, epoch: number, seq: number): void {
    const kept = this.frames.find((one) => one.frame === frame);
    if (kept) kept.place = `${epoch}/${seq}`;
  }

  /** The frame at this place of the stream; older ones are not needed any more. */
  take(epoch: number, seq: number): KeptFrame<Picture> | null {
    const index = this.frames.findIndex((one) => one.place === `${epoch}/${seq}`);
    if (index < 0) return null;
    for (const old of this.frames.splice(0, index)) this.release(old.picture);
    return this.frames[0]!;
  }

  clear(): void {
    for (const kept of this.frames.splice(0)) this.release(kept.picture);
  }
}
