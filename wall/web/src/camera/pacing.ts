// How often and how large frames are sent, so that none waits behind another one. Pure: times are arguments.

/** What the server allowed last. */
export interface Allowed {
  max_fps: number;
  on_the_way: number;
}

const FIRST: Allowed = { max_fps: 10, on_the_way: 1 };
/** Frames come at the times of the video, which are seldom exactly one interval apart. */
const EARLY = 0.85;
/** A frame whose answer does not come for so long is lost. */
const LOST_AFTER_MS = 3000;

/** Says when the next frame may be sent: at the rate that the person and the server allow, and few at once. */
export class Pacer {
  wishFps: number;
  private allowed = FIRST;
  private lastMs = -Infinity;
  private pausedUntilMs = -Infinity;
  private readonly sentAtMs = new Map<number, number>();

  constructor(wishFps: number) {
    this.wishFps = wishFps;
  }

  get fps(): number {
    return Math.min(this.wishFps, this.allowed.max_fps);
  }

  maySend(nowMs: number): boolean {
    for (const [frame, atMs] of this.sentAtMs) if (nowMs - atMs > LOST_AFTER_MS) this.sentAtMs.delete(frame);
    if (nowMs < this.pausedUntilMs || this.sentAtMs.size >= Math.min(2, this.allowed.on_the_way)) return false;
    return nowMs - this.lastMs >= (EARLY * 1000) / this.fps;
  }

  sent(frame: number, nowMs: number): void {
    this.sentAtMs.set(frame, nowMs);
    this.lastMs = nowMs;
  }

  /** The answer to a frame came; returns how long that took in ms, null for a frame that had been given up. */
  answered(frame: number, nowMs: number, allowed: Allowed): number | null {
    this.allowed = allowed;
    const atMs = this.sentAtMs.get(frame);
    this.sentAtMs.delete(frame);
    return atMs === undefined ? null : nowMs - atMs;
  }

  /** The server could not take a frame: none is sent for a while. */
  refused(nowMs: number, pauseMs: number): void {
    this.sentAtMs.clear();
    this.pausedUntilMs = nowMs + pauseMs;
  }

  /** The connection is new: nothing is on the way. */
  restart(): void {
    this.sentAtMs.clear();
    this.allowed = FIRST;
    this.pausedUntilMs = -Infinity;
  }
}

const SLOW_MS = 250;
const FAST_MS = 100;
const SMALLEST_PX = 320;
const EACH_MS = 2000;

/** Makes pictures smaller where the network is too slow for them, and larger again. */
export class PictureSize {
  private side = Infinity;
  private changedAtMs = -Infinity;
  private averageMs: number | null = null;

  /** The answer to a picture of this longest side took `tookMs`. */
  took(tookMs: number, sentSide: number, nowMs: number): void {
    this.averageMs = this.averageMs === null ? tookMs : 0.8 * this.averageMs + 0.2 * tookMs;
    if (nowMs - this.changedAtMs < EACH_MS) return;
    if (this.averageMs > SLOW_MS && sentSide > SMALLEST_PX) {
      this.change(Math.max(SMALLEST_PX, Math.round(0.8 * sentSide)), nowMs);
    } else if (this.averageMs < FAST_MS && this.side !== Infinity) {
      this.change(this.side > 2000 ? Infinity : Math.round(1.25 * this.side), nowMs);
    }
  }

  private change(side: number, nowMs: number): void {
    this.side = side;
    this.changedAtMs = nowMs;
    this.averageMs = null; // pictures of the former size say nothing about this one
  }

  /** The longest side to send, where the person wishes `wish` (null: what is useful) and workers use `useful`. */
  longest(wish: number | null, useful: number | null): number {
    return Math.min(wish ?? useful ?? 640, this.side);
  }
}

/** The value below which the share `share` of the values lies; null without any. */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** The newest values of the last seconds. */
export class Recent {
  private readonly entries: [number, number][] = [];
  private readonly windowMs: number;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  add(nowMs: number, value: number): void {
    this.entries.push([nowMs, value]);
    this.drop(nowMs);
  }

  values(nowMs: number): number[] {
    this.drop(nowMs);
    return this.entries.map(([, value]) => value);
  }

  /** How many a second. */
  rate(nowMs: number): number {
    return this.values(nowMs).length / (this.windowMs / 1000);
  }

  private drop(nowMs: number): void {
    while (this.entries.length > 0 && nowMs - this.entries[0]![0] > this.windowMs) this.entries.shift();
  }
}
