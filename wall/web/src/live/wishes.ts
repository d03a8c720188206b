// Which cameras the page wants to see, and how large. Nothing is asked for while nobody can look.

import type { TileWish, ToServer } from "../protocol.ts";

export interface WishesOptions {
  send: (message: ToServer) => void;
  pictures: () => boolean;
  /** Whether there is such a camera: an old bookmark may name one that is gone, or that never was. */
  exists: (camera: string) => boolean;
}

/** Widths are asked for in these steps, so that dragging a window does not ask for a hundred sizes. */
const WIDTH_STEP_PX = 80;
const MOST_TILES = 64;
const SETTLE_MS = 60;

export class Wishes {
  private readonly tiles = new Map<string, { width: number; pictures: boolean }>();
  private readonly options: WishesOptions;
  private maxFps = 15;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = "";

  constructor(options: WishesOptions) {
    this.options = options;
    document.addEventListener("visibilitychange", () => this.soon());
  }

  /** A tile of `camera` is `width` CSS pixels wide on the screen, 0 if nobody sees it; a floor plan has no pictures. */
  want(camera: string, width: number, pictures = true): void {
    if (width > 0) this.tiles.set(camera, { width, pictures });
    else this.tiles.delete(camera);
    this.soon();
  }

  /** Starts anew, for another view with at most `maxFps` frames a second of each camera. */
  clear(maxFps: number): void {
    this.tiles.clear();
    this.maxFps = maxFps;
    this.soon();
  }

  /** Says what is wanted in a moment, after all tiles of a view have spoken. */
  soon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.say();
    }, SETTLE_MS);
  }

  private say(): void {
    const message: ToServer = { type: "watch", tiles: document.hidden ? [] : this.wanted(), max_fps: this.maxFps };
    const text = JSON.stringify(message);
    if (text === this.last) return;
    this.last = text;
    this.options.send(message);
  }

  private wanted(): TileWish[] {
    const allowed = this.options.pictures();
    const ratio = window.devicePixelRatio || 1;
    const tiles = [...this.tiles].filter(([camera]) => this.options.exists(camera)).slice(0, MOST_TILES);
    return tiles.map(([camera, { width, pictures }]) => ({
      camera,
      width_px: inSteps(width * ratio),
      pictures: pictures && allowed,
    }));
  }
}

export function inSteps(width: number): number {
  return Math.max(WIDTH_STEP_PX, Math.ceil(width / WIDTH_STEP_PX) * WIDTH_STEP_PX);
}
