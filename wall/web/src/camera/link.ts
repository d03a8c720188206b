// The WebSocket of a camera: it comes back by itself, and goes on as the same camera.

import { waitMs } from "../connection.ts";
import { type Ack, type Mode, readMessage, startMessage } from "./messages.ts";

export type LinkState = "connecting" | "started" | "lost" | "ended";

/** What a socket does that this module needs; a WebSocket, or a double in tests. */
export interface CameraSocket {
  binaryType: string;
  readyState: number;
  bufferedAmount: number;
  onopen: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  send(data: string | ArrayBuffer): void;
  close(): void;
}

export interface LinkOptions {
  open: () => CameraSocket;
  mode: Mode;
  name: string;
  page: string;
  onState: (state: LinkState, camera: string | null) => void;
  onAck: (ack: Ack) => void;
  /** A sentence; `pauseMs` says for how long nothing should be sent. */
  onProblem: (sentence: string, pauseMs: number) => void;
  random?: () => number;
}

const OPEN = 1;
const LOGIN_NEEDED = 4401;
const FORBIDDEN = 4403;

export class CameraLink {
  state: LinkState = "connecting";
  camera: string | null = null;
  private socket: CameraSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private attempt = 0;
  private readonly options: LinkOptions;

  constructor(options: LinkOptions) {
    this.options = options;
    this.connect();
  }

  get ready(): boolean {
    return this.state === "started" && this.socket?.readyState === OPEN;
  }

  send(message: string | ArrayBuffer): void {
    if (this.ready) this.socket!.send(message);
  }

  /** The person ends the camera. */
  stop(): void {
    if (this.ready) this.socket!.send(JSON.stringify({ type: "stop" }));
    this.end();
  }

  private connect(): void {
    this.timer = null;
    const { open, mode, name, page } = this.options;
    const socket = open();
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    // After a reconnect the name is that which the server gave, so that another browser cannot take it meanwhile.
    socket.onopen = () => socket.send(startMessage(mode, this.camera ?? name, page));
    socket.onmessage = (event: MessageEvent<string>) => this.receive(event.data);
    socket.onclose = (event: CloseEvent) => {
      this.drop();
      if (event.code === LOGIN_NEEDED) this.refuse("Log in on the wall first, then open this page again.");
      else if (event.code === FORBIDDEN) this.refuse(event.reason || "You may not be a camera here.");
      else this.retry();
    };
  }

  private receive(text: string): void {
    const message = readMessage(text);
    if (message === null) return;
    if (message.type === "ack") this.options.onAck(message);
    else if (message.type === "started") {
      this.attempt = 0;
      this.camera = message.camera;
      this.enter("started");
    } else if (message.final) this.refuse(message.sentence);
    else this.options.onProblem(message.sentence, 1000 * (message.retry_s ?? 0));
  }

  private refuse(sentence: string): void {
    this.end();
    this.options.onProblem(sentence, 0);
  }

  private retry(): void {
    if (this.state === "ended") return;
    this.enter("lost");
    this.timer = setTimeout(() => this.connect(), waitMs(this.attempt++, (this.options.random ?? Math.random)()));
  }

  private end(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.drop();
    this.enter("ended");
  }

  private drop(): void {
    const socket = this.socket;
    if (socket === null) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
    this.socket = null;
  }

  private enter(state: LinkState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.onState(state, this.camera);
  }
}

/** A random number that tells this page from all others; the same after a reload of the page. */
export function pageKey(storage: Storage | null, random: (bytes: Uint8Array<ArrayBuffer>) => void): string {
  const kept = storage?.getItem("posebus.camera.page");
  if (kept && /^[0-9a-f]{32}$/.test(kept)) return kept;
  const bytes = new Uint8Array(16);
  random(bytes);
  const key = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    storage?.setItem("posebus.camera.page", key);
  } catch {
    // A private window may refuse it: after a reload the page is another camera then.
  }
  return key;
}
