// Frames on their way to the screen: decoded beside the page's own work, drawn once per refresh, the newest only.

import type { FrameHeader, ToServer } from "../protocol.ts";
import { Traces } from "../drawing/traces.ts";
import { type ArrivedFrame, readFrame } from "./messages.ts";

/** A frame that can be drawn. `bitmap` is null without a picture, and for one that could not be read. */
export interface ShownFrame {
  header: FrameHeader;
  bitmap: ImageBitmap | null;
  /** Whether a picture came that is none. */
  broken: boolean;
}

export type Painter = (frame: ShownFrame) => void;

/** All frames of one camera. */
export class Feed {
  shown: ShownFrame | null = null;
  readonly traces = new Traces();
  readonly painters = new Set<Painter>();
  /** When each person was first seen by this page, by number; those in the first frame may have been there before. */
  readonly firstSeen = new Map<number, { at: number; before: boolean }>();
  waiting: { order: number; frame: ShownFrame } | null = null;
  drawnOrder = -1;
  private epoch: number | null = null;

  /** Makes `frame` the one that is shown. */
  show(frame: ShownFrame): void {
    if (this.shown?.bitmap !== frame.bitmap) this.shown?.bitmap?.close();
    this.shown = frame;
    const { epoch, captured_at_ms: at, tracks } = frame.header;
    this.traces.add(epoch, at, tracks);
    const begins = epoch !== this.epoch;
    if (begins) this.firstSeen.clear();
    this.epoch = epoch;
    for (const track of tracks) {
      if (!this.firstSeen.has(track.id)) this.firstSeen.set(track.id, { at, before: begins });
    }
    if (this.firstSeen.size > 2000) this.firstSeen.clear();
    for (const painter of [...this.painters]) painter(frame);
  }

  drop(): void {
    this.shown?.bitmap?.close();
    this.waiting?.frame.bitmap?.close();
    this.shown = this.waiting = null;
  }
}

export interface FeedsOptions {
  send: (message: ToServer) => void;
  onProblem: (error: unknown) => void;
  decode?: (jpeg: Blob) => Promise<ImageBitmap>;
  refresh?: (draw: () => void) => void;
}

export class Feeds {
  private readonly feeds = new Map<string, Feed>();
  private readonly options: FeedsOptions;
  private arrived = 0;
  private asked = false;

  constructor(options: FeedsOptions) {
    this.options = options;
  }

  of(camera: string): Feed {
    let feed = this.feeds.get(camera);
    if (!feed) this.feeds.set(camera, (feed = new Feed()));
    return feed;
  }

  /** Forgets cameras that do not exist any more, with their pictures. */
  keepOnly(cameras: Iterable<string>): void {
    const names = new Set(cameras);
    for (const [name, feed] of this.feeds) {
      if (names.has(name) || feed.painters.size > 0) continue;
      feed.drop();
      this.feeds.delete(name);
    }
  }

  /** Takes a binary message. Whatever happens to its frame, the wall is told that the next may come. */
  async arrive(message: ArrayBuffer): Promise<void> {
    const order = this.arrived++;
    let arrived: ArrivedFrame;
    try {
      arrived = readFrame(message);
    } catch (error) {
      this.options.onProblem(error);
      return;
    }
    const frame = await this.decode(arrived);
    const feed = this.of(frame.header.camera);
    // Pictures are decoded side by side, so an older one may be ready later.
    if (order < feed.drawnOrder || (feed.waiting !== null && order < feed.waiting.order)) {
      this.discard(frame);
      return;
    }
    if (feed.waiting) this.discard(feed.waiting.frame);
    feed.waiting = { order, frame };
    if (this.asked) return;
    this.asked = true;
    (this.options.refresh ?? requestAnimationFrame)(() => this.draw());
  }

  private draw(): void {
    this.asked = false;
    for (const feed of this.feeds.values()) {
      if (!feed.waiting) continue;
      const { order, frame } = feed.waiting;
      feed.waiting = null;
      feed.drawnOrder = order;
      feed.show(frame);
      this.acknowledge(frame.header);
    }
  }

  private async decode({ header, jpeg }: ArrivedFrame): Promise<ShownFrame> {
    if (jpeg === null) return { header, bitmap: null, broken: false };
    try {
      const decode = this.options.decode ?? ((blob: Blob) => createImageBitmap(blob));
      return { header, bitmap: await decode(new Blob([jpeg], { type: "image/jpeg" })), broken: false };
    } catch {
      return { header, bitmap: null, broken: true };
    }
  }

  private discard(frame: ShownFrame): void {
    frame.bitmap?.close();
    this.acknowledge(frame.header);
  }

  private acknowledge({ camera, epoch, seq }: FrameHeader): void {
    this.options.send({ type: "shown", camera, epoch, seq });
  }
}
