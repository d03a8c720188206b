// One run of a camera: frames of the video go to the wall, and identities come back to the frames they belong to.

import { CanvasPool, type Canvas, type Turn, grab, jpegOf } from "./capture.ts";
import { CameraLink, type LinkState } from "./link.ts";
import { type Ack, type Mode, type Person, type SentFrame, pictureMessage, posesMessage } from "./messages.ts";
import { Network } from "./network/client.ts";
import { watchOwn } from "./own_tracks.ts";
import type { OwnFrame } from "./overlay.ts";
import { Pacer, PictureSize, Recent, quantile } from "./pacing.ts";
import { FrameRing } from "./ring.ts";

/** More than come in STALE_MS: the canvas of the frame that is shown must not be used again. */
const KEPT_FRAMES = 40;
const QUALITY = 0.8;
const STATISTICS_MS = 5000;
/** Without identities for so long, the page shows what its camera sees now. */
const STALE_MS = 1000;
const IN_BACKGROUND_MS = 500;

export interface SessionOptions {
  video: HTMLVideoElement;
  mode: Mode;
  name: string;
  page: string;
  fps: number;
  /** The longest side to send; null: what the workers use. */
  side: number | null;
  turn: () => Turn;
  webgpu: boolean;
  onState: (state: LinkState, camera: string | null) => void;
  onProblem: (sentence: string) => void;
  onNetwork: (engine: string) => void;
  onIdentities: () => void;
}

export interface Figures {
  fps: number;
  delayP95Ms: number | null;
  bytes: number | null;
  people: number | null;
  /** Frames that were sent and have no result yet. */
  waiting: number;
  imgsz: number | null;
  tookMs: number | null;
}

export class Session {
  private readonly pool = new CanvasPool();
  private readonly ring = new FrameRing<Canvas>(KEPT_FRAMES, (canvas) => this.pool.give(canvas));
  private readonly pacer: Pacer;
  private readonly size = new PictureSize();
  private readonly delays = new Recent(STATISTICS_MS);
  private readonly sizes = new Recent(STATISTICS_MS);
  private readonly frames = new Recent(2000);
  private readonly link: CameraLink;
  private readonly network: Network | null;
  private readonly sentSides = new Map<number, number>();
  private readonly inNetwork = new Map<number, SentFrame>();
  private readonly timer: ReturnType<typeof setInterval>;
  private unwatch: (() => void) | null = null;
  private watched: string | null = null;
  private waiting = 0;
  private useful: number | null = null;
  private next = 0;
  private encoding = false;
  private ended = false;
  private shown: OwnFrame | null = null;
  private shownAtMs = -Infinity;
  private grabbedAtMs = -Infinity;
  private tookMs: number | null = null;
  private readonly options: SessionOptions;

  constructor(options: SessionOptions) {
    this.options = options;
    this.pacer = new Pacer(options.fps);
    this.network =
      options.mode === "poses"
        ? new Network({
            worker: () => new Worker("/static/camera_network.js", { type: "module" }),
            webgpu: options.webgpu,
            onLoaded: options.onNetwork,
            onPeople: (frame, people, tookMs, imgsz) => this.sendPoses(frame, people, tookMs, imgsz),
            onFailed: options.onProblem,
          })
        : null;
    this.link = new CameraLink({
      open: () => new WebSocket(new URL("/ws/camera", location.href.replace(/^http/, "ws"))),
      mode: options.mode,
      name: options.name,
      page: options.page,
      onState: (state, camera) => this.changed(state, camera),
      onAck: (ack) => this.answered(ack),
      onProblem: (sentence, pauseMs) => {
        this.pacer.refused(performance.now(), pauseMs);
        options.onProblem(sentence);
      },
    });
    this.onVideoFrame();
    // Browsers show no frames of a page in the background, but the camera goes on.
    this.timer = setInterval(() => {
      if (performance.now() - this.grabbedAtMs > IN_BACKGROUND_MS) this.capture(Date.now());
    }, IN_BACKGROUND_MS);
  }

  /** The frame to show with its people; null where identities are not known, or are too old. */
  get ownFrame(): OwnFrame | null {
    return performance.now() - this.shownAtMs < STALE_MS ? this.shown : null;
  }

  figures(): Figures {
    const now = performance.now();
    const sizes = this.sizes.values(now);
    return {
      fps: this.frames.rate(now),
      delayP95Ms: quantile(this.delays.values(now), 0.95),
      bytes: sizes.length === 0 ? null : sizes.reduce((sum, one) => sum + one, 0) / sizes.length,
      people: this.ownFrame?.tracks.filter((track) => track.state === "confirmed").length ?? null,
      waiting: this.waiting,
      imgsz: this.network?.imgsz ?? null,
      tookMs: this.tookMs,
    };
  }

  stop(): void {
    this.ended = true;
    clearInterval(this.timer);
    this.unwatch?.();
    this.network?.end();
    this.link.stop();
    this.ring.clear();
  }

  private onVideoFrame(): void {
    const { video } = this.options;
    if (!("requestVideoFrameCallback" in video)) {
      requestAnimationFrame(() => this.again(Date.now()));
      return;
    }
    video.requestVideoFrameCallback((now, metadata) => {
      // Cameras say when they captured a picture; where they do not, it was shown at once.
      const capturedMs = Math.min(now, metadata.captureTime ?? metadata.presentationTime);
      this.again(performance.timeOrigin + Math.max(capturedMs, now - 1000));
    });
  }

  private again(capturedAtMs: number): void {
    if (this.ended) return;
    this.capture(capturedAtMs);
    this.onVideoFrame();
  }

  private capture(capturedAtMs: number): void {
    const now = performance.now();
    if (this.encoding || !this.link.ready || !this.pacer.maySend(now)) return;
    if (this.network !== null && !this.network.free) return;
    const side = this.network !== null ? 640 : this.size.longest(this.options.side, this.useful);
    const canvas = grab(this.options.video, this.options.turn(), side, this.pool);
    if (canvas === null) return;
    this.grabbedAtMs = now;
    const frame: SentFrame = {
      seq: this.next++,
      captured_at_ms: capturedAtMs,
      width: canvas.width,
      height: canvas.height,
    };
    this.ring.add(frame.seq, canvas, capturedAtMs);
    if (this.network === null) void this.sendPicture(frame, canvas);
    else void this.askNetwork(frame, canvas);
  }

  private async sendPicture(frame: SentFrame, canvas: Canvas): Promise<void> {
    this.encoding = true;
    try {
      const jpeg = await jpegOf(canvas, QUALITY);
      this.sentSides.set(frame.seq, Math.max(frame.width, frame.height));
      this.sent(frame, pictureMessage(frame, Date.now(), jpeg));
    } catch (problem) {
      this.options.onProblem(`A picture could not be encoded: ${String(problem)}`);
    } finally {
      this.encoding = false;
    }
  }

  private async askNetwork(frame: SentFrame, canvas: Canvas): Promise<void> {
    this.inNetwork.set(frame.seq, frame);
    this.network!.infer(frame.seq, await createImageBitmap(canvas));
  }

  private sendPoses(number: number, people: Person[], tookMs: number, imgsz: number): void {
    const frame = this.inNetwork.get(number);
    this.inNetwork.clear();
    this.tookMs = tookMs;
    if (frame !== undefined && !this.ended)
      this.sent(frame, posesMessage(frame, Date.now(), people, tookMs, imgsz));
  }

  private sent(frame: SentFrame, message: string | ArrayBuffer): void {
    const now = performance.now();
    this.pacer.sent(frame.seq, now);
    this.sizes.add(now, typeof message === "string" ? message.length : message.byteLength);
    this.link.send(message);
  }

  private answered(ack: Ack): void {
    const now = performance.now();
    this.frames.add(now, 1);
    this.useful = ack.max_side_px;
    this.waiting = ack.waiting;
    this.ring.place(ack.frame, ack.epoch, ack.seq);
    const tookMs = this.pacer.answered(ack.frame, now, ack);
    const side = this.sentSides.get(ack.frame);
    this.sentSides.delete(ack.frame);
    if (tookMs !== null && side !== undefined) this.size.took(tookMs, side, now);
  }

  private changed(state: LinkState, camera: string | null): void {
    if (state === "started") {
      this.pacer.restart();
      if (camera !== null && camera !== this.watched) {
        this.unwatch?.();
        this.watched = camera;
        this.unwatch = watchOwn(camera, (header) => {
          const kept = this.ring.take(header.epoch, header.seq);
          if (kept === null || this.ended) return;
          this.delays.add(performance.now(), Date.now() - kept.capturedAtMs);
          this.shown = { picture: kept.picture, size: header.size, tracks: header.tracks };
          this.shownAtMs = performance.now();
          if (header.tracks.length > 0) this.options.onIdentities();
        });
      }
    }
    this.options.onState(state, camera);
  }
}
