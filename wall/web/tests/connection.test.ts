import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, type ConnectionState, type Socket, socketAddress, waitMs } from "../src/connection.ts";

class FakeSocket implements Socket {
  static made: FakeSocket[] = [];
  binaryType = "blob";
  readyState = 0;
  onopen: Socket["onopen"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;
  onmessage: Socket["onmessage"] = null;
  sent: string[] = [];
  constructor() {
    FakeSocket.made.push(this);
  }
  send(data: string): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.({});
  }
  ends(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

let states: ConnectionState[] = [];
const texts: string[] = [];

function connected(): Connection {
  return new Connection({
    open: () => new FakeSocket(),
    onText: (text) => texts.push(text),
    onBinary: () => undefined,
    onState: (state) => states.push(state),
    random: () => 1,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  states = [];
});
afterEach(() => vi.useRealTimers());

test("waits twice as long each time, up to ten seconds, and at least half of that", () => {
  expect([0, 1, 2, 3].map((attempt) => waitMs(attempt, 1))).toEqual([400, 800, 1600, 3200]);
  expect(waitMs(0, 0)).toBe(200);
  expect(waitMs(1000, 1)).toBe(10_000);
});

test("comes back by itself and says its wishes again, but not what was shown", () => {
  const connection = connected();
  FakeSocket.made[0]!.opens();
  connection.send({ type: "watch", tiles: [], max_fps: 5 });
  connection.send({ type: "follow", deployment: true });
  connection.send({ type: "shown", camera: "door", epoch: 1, seq: 2 });
  expect(FakeSocket.made[0]!.sent).toHaveLength(3);
  FakeSocket.made[0]!.ends();
  vi.advanceTimersByTime(399);
  expect(FakeSocket.made).toHaveLength(1);
  vi.advanceTimersByTime(1);
  FakeSocket.made[1]!.opens();
  expect(FakeSocket.made[1]!.sent.map((text) => JSON.parse(text).type)).toEqual(["watch", "follow"]);
  expect(states).toEqual(["open", "lost", "open"]);
});

test("a refused login ends the tries, and so does closing", () => {
  const connection = connected();
  FakeSocket.made[0]!.ends(4401);
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made).toHaveLength(1);
  expect(connection.state).toBe("refused");
  const other = connected();
  FakeSocket.made[1]!.ends();
  other.close();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made).toHaveLength(2);
});

test("tries at once when told that the network is back", () => {
  const connection = connected();
  FakeSocket.made[0]!.ends();
  connection.tryNow();
  expect(FakeSocket.made).toHaveLength(2);
  connection.tryNow();
  expect(FakeSocket.made).toHaveLength(2);
});

test("the address of the socket is beside the page, encrypted where the page is", () => {
  expect(socketAddress("https://wall.example:8443/#/people")).toBe("wss://wall.example:8443/ws");
  expect(socketAddress("http://127.0.0.1:8080/")).toBe("ws://127.0.0.1:8080/ws");
});
