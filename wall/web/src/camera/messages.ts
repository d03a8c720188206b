// The messages between a camera page and the wall; the other side is wall/browser_camera/messages.py and socket.py.

/** What leaves the device. */
export type Mode = "pictures" | "poses";

/** The number that the page gives a frame, when it was captured (ms of this clock), and its size in pixels. */
export interface SentFrame {
  seq: number;
  captured_at_ms: number;
  width: number;
  height: number;
}

/** A person that the network found. Pixels of the frame; keypoints in COCO's order. */
export interface Person {
  score: number;
  box: [number, number, number, number];
  keypoints: [number, number, number][];
}

/** The answer to a frame: where it is in the stream of the camera, and what may be sent from now on. */
export interface Ack {
  type: "ack";
  frame: number;
  epoch: number;
  seq: number;
  max_fps: number;
  on_the_way: number;
  waiting: number;
  /** The longest side in pixels that the workers use; null while none runs. */
  max_side_px: number | null;
}

export type FromCameraServer =
  | { type: "started"; camera: string; mode: Mode }
  | Ack
  | { type: "problem"; sentence: string; final: boolean; retry_s?: number };

/** The message that starts a camera. `page` is a random number that only this page knows. */
export function startMessage(mode: Mode, name: string, page: string): string {
  return JSON.stringify({ type: "start", mode, name: name.trim() || null, page });
}

/** A binary message: length of the header (uint32, little-endian), header (JSON), JPEG file. */
export function pictureMessage(frame: SentFrame, nowMs: number, jpeg: ArrayBuffer): ArrayBuffer {
  const header = new TextEncoder().encode(JSON.stringify({ ...frame, sent_at_ms: nowMs }));
  const message = new Uint8Array(4 + header.length + jpeg.byteLength);
  new DataView(message.buffer).setUint32(0, header.length, true);
  message.set(header, 4);
  message.set(new Uint8Array(jpeg), 4 + header.length);
  return message.buffer;
}

/** The people of a frame. A tenth of a pixel and a hundredth of a score are more than the network knows. */
export function posesMessage(
  frame: SentFrame,
  nowMs: number,
  people: readonly Person[],
  inferenceMs: number,
  imgsz: number,
): string {
  return JSON.stringify({
    type: "poses",
    ...frame,
    sent_at_ms: nowMs,
    inference_ms: rounded(inferenceMs, 1),
    imgsz,
    people: people.map(({ score, box, keypoints }) => ({
      score: rounded(score, 2),
      box: box.map((value) => rounded(value, 1)),
      keypoints: keypoints.map(([x, y, confidence]) => [rounded(x, 1), rounded(y, 1), rounded(confidence, 2)]),
    })),
  });
}

/** Reads a message of the server; null for one that this page does not know. */
export function readMessage(text: string): FromCameraServer | null {
  const message = JSON.parse(text) as FromCameraServer;
  return ["started", "ack", "problem"].includes(message.type) ? message : null;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
