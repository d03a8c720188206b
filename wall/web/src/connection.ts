// The WebSocket of the page: it comes back by itself, and says what it was last asked for again.

import type { ToServer } from "./protocol.ts";

export type ConnectionState = "connecting" | "open" | "lost" | "refused";

/** What a socket does that this module needs; a WebSocket, or a double in tests. */
export interface Socket {
  binaryType: string;
  readyState: number;
  onopen: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  send(data: string): void;
  close(): void;
}

export interface ConnectionOptions {
  open: () => Socket;
  onText: (text: string) => void;
  onBinary: (message: ArrayBuffer) => void;
  onState: (state: ConnectionState) => void;
  random?: () => number;
}

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 10_000;
const OPEN = 1;
/** The wall closes with this code when nobody is logged in: trying again would not help. */
const NOT_LOGGED_IN = 4401;

/** How long to wait before try number `attempt`, from 0. The jitter keeps a hundred pages from coming back at once. */
export function waitMs(attempt: number, random: number): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 20));
  return most * (0.5 + random / 2);
}

export class Connection {
  state: ConnectionState = "connecting";
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private attempt = 0;
  private ended = false;
  /** The last message of each type that says what the page wants; a new connection starts with them. */
  private readonly wants = new Map<string, string>();
  private readonly options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.connect();
  }

  /** Sends a message. Wishes ("watch", "follow") are kept and sent again after each reconnect; others are for now. */
  send(message: ToServer): void {
    const text = JSON.stringify(message);
    if (message.type !== "shown") this.wants.set(message.type, text);
    if (this.socket?.readyState === OPEN) this.socket.send(text);
  }

  /** Tries at once instead of after the wait, for instance because the network is back. */
  tryNow(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.connect();
  }

  /** Ends it for good. */
  close(): void {
    this.ended = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.drop();
  }

  private connect(): void {
    let socket: Socket;
    try {
      socket = this.options.open();
    } catch {
      this.retry();
      return;
    }
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.attempt = 0;
      for (const text of this.wants.values()) socket.send(text);
      this.enter("open");
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === "string") this.options.onText(event.data);
      else this.options.onBinary(event.data);
    };
    socket.onclose = (event: CloseEvent) => {
      this.drop();
      if (event.code === NOT_LOGGED_IN) this.enter("refused");
      else this.retry();
    };
  }

  private retry(): void {
    if (this.ended) return;
    this.enter("lost");
    const wait = waitMs(this.attempt++, (this.options.random ?? Math.random)());
    this.timer = setTimeout(() => {
      this.timer = null;
      this.connect();
    }, wait);
  }

  private drop(): void {
    const socket = this.socket;
    if (socket === null) return;
    socket.onopen = socket.onclose = socket.onerror = socket.onmessage = null;
    socket.close();
    this.socket = null;
  }

  private enter(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.options.onState(state);
  }
}

/** The address of the wall's WebSocket, beside the page. */
export function socketAddress(page: string): string {
  const address = new URL("/ws", page);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
