// The identities of the page's own camera, as the wall sends them to everybody who watches it.

import { Connection, socketAddress } from "../connection.ts";
import { readFrame } from "../live/messages.ts";
import type { FrameHeader, ToServer } from "../protocol.ts";

const MAX_FPS = 30;

/** Watches `camera` without its pictures, which this page has itself. Returns a function that ends it. */
export function watchOwn(camera: string, onFrame: (header: FrameHeader) => void): () => void {
  const send = (message: ToServer): void => connection.send(message);
  const connection = new Connection({
    open: () => new WebSocket(socketAddress(location.href)),
    onText: () => undefined,
    onBinary: (message) => {
      const { header } = readFrame(message);
      send({ type: "shown", camera: header.camera, epoch: header.epoch, seq: header.seq });
      if (header.camera === camera) onFrame(header);
    },
    onState: () => undefined,
  });
  send({ type: "watch", tiles: [{ camera, width_px: 1, pictures: false }], max_fps: MAX_FPS });
  return () => connection.close();
}
