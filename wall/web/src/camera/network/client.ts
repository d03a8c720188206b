// The page's side of the worker that runs the network: one frame at a time, at the size that this device can take.

import type { Person } from "../messages.ts";
import { nextSize } from "./decode.ts";
import type { FromNetwork, ToNetwork } from "./protocol.ts";

export interface NetworkOptions {
  worker: () => Worker;
  webgpu: boolean;
  onLoaded: (engine: string) => void;
  onPeople: (frame: number, people: Person[], tookMs: number, imgsz: number) => void;
  onFailed: (sentence: string) => void;
}

const FIRST_SIZE = 320;
const FRAMES_BEFORE_CHANGE = 8;

export class Network {
  imgsz = FIRST_SIZE;
  loaded = false;
  private busy = false;
  private times: number[] = [];
  private readonly worker: Worker;
  private readonly options: NetworkOptions;

  constructor(options: NetworkOptions) {
    this.options = options;
    this.worker = options.worker();
    this.worker.onmessage = (event: MessageEvent<FromNetwork>) => this.receive(event.data);
    this.worker.onerror = () => options.onFailed("The network cannot run in this browser. Send pictures instead.");
    this.tell({ type: "load", webgpu: options.webgpu });
  }

  get free(): boolean {
    return this.loaded && !this.busy;
  }

  infer(frame: number, bitmap: ImageBitmap): void {
    this.busy = true;
    this.tell({ type: "infer", frame, bitmap, imgsz: this.imgsz }, [bitmap]);
  }

  end(): void {
    this.worker.terminate();
  }

  private receive(message: FromNetwork): void {
    if (message.type === "loaded") {
      this.loaded = true;
      this.options.onLoaded(message.engine);
    } else if (message.type === "failed") this.options.onFailed(message.sentence);
    else {
      this.busy = false;
      this.adapt(message.tookMs);
      this.options.onPeople(message.frame, message.people, message.tookMs, message.imgsz);
    }
  }

  /** Changes the size by the middle of some times: the first ones of a size are slow, and single ones mean nothing. */
  private adapt(tookMs: number): void {
    this.times.push(tookMs);
    if (this.times.length < FRAMES_BEFORE_CHANGE) return;
    const middle = [...this.times].sort((a, b) => a - b)[this.times.length >> 1]!;
    this.times = [];
    this.imgsz = nextSize(this.imgsz, middle);
  }

  private tell(message: ToNetwork, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }
}
