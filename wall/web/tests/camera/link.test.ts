import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type CameraSocket, CameraLink, pageKey } from "../../src/camera/link.ts";

class FakeSocket implements CameraSocket {
  binaryType = "";
  readyState = 1;
  bufferedAmount = 0;
  onopen: ((event: any) => void) | null = null;
  onclose: ((event: any) => void) | null = null;
  onmessage: ((event: any) => void) | null = null;
  readonly sent: (string | ArrayBuffer)[] = [];
  closed = false;
  send(data: string | ArrayBuffer): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed = true;
  }
  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const sockets: FakeSocket[] = [];
const states: string[] = [];
const problems: string[] = [];

function link(name = ""): CameraLink {
  return new CameraLink({
    open: () => {
      sockets.push(new FakeSocket());
      return sockets.at(-1)!;
    },
    mode: "pictures",
    name,
    page: "ab12",
    onState: (state) => states.push(state),
    onAck: () => undefined,
    onProblem: (sentence) => problems.push(sentence),
    random: () => 1,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  for (const list of [sockets, states, problems]) list.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

test("a connection that is lost comes back as the same camera", () => {
  const made = link();
  sockets[0]!.onopen?.({});
  sockets[0]!.says({ type: "started", camera: "browser-4", mode: "pictures" });
  expect(made.ready).toBe(true);
  sockets[0]!.onclose?.({ code: 1006 });
  expect(made.ready).toBe(false);
  vi.advanceTimersByTime(500);
  sockets[1]!.onopen?.({});
  expect(JSON.parse(sockets[1]!.sent[0] as string)).toEqual({ type: "start", mode: "pictures", name: "browser-4", page: "ab12" });
  sockets[1]!.says({ type: "started", camera: "browser-4", mode: "pictures" });
  expect(states).toEqual(["started", "lost", "started"]);
});

test("a refusal ends it with the sentence of the server", () => {
  link("desk");
  sockets[0]!.onopen?.({});
  sockets[0]!.says({ type: "problem", sentence: "choose another name", final: true });
  vi.advanceTimersByTime(60_000);
  expect(sockets).toHaveLength(1);
  expect(problems).toEqual(["choose another name"]);
  expect(states).toEqual(["ended"]);
});

test("whoever is not logged in is told so", () => {
  link();
  sockets[0]!.onclose?.({ code: 4401 });
  expect(problems).toEqual(["Log in on the wall first, then open this page again."]);
  expect(states).toEqual(["ended"]);
});

test("stopping tells the server", () => {
  const made = link();
  sockets[0]!.onopen?.({});
  sockets[0]!.says({ type: "started", camera: "browser-1", mode: "pictures" });
  made.stop();
  expect(JSON.parse(sockets[0]!.sent.at(-1) as string)).toEqual({ type: "stop" });
  expect(sockets[0]!.closed).toBe(true);
});

test("a page keeps its random number while it is open", () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) } as unknown as Storage;
  const first = pageKey(storage, (bytes) => bytes.fill(171));
  expect(first).toBe("ab".repeat(16));
  expect(pageKey(storage, () => undefined)).toBe(first);
});
