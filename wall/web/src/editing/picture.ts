// The picture under the shapes: live while the camera sends one, else one that the wall takes of its address.

import { Connection, socketAddress } from "../connection.ts";
import { request } from "../http.ts";
import { type ArrivedFrame, readFrame } from "../live/messages.ts";
import type { Size } from "./geometry.ts";

const FPS = 5;

export interface PictureHandlers {
  onPicture: (picture: ImageBitmap, size: Size) => void;
}

/** Pictures of one camera as they come; the last one stays until `end`. */
export class LivePicture {
  private readonly connection: Connection;
  private isEnded = false;
  private isBusy = false;
  private readonly camera: string;
  private readonly handlers: PictureHandlers;

  constructor(camera: string, widthPx: number, handlers: PictureHandlers) {
    this.camera = camera;
    this.handlers = handlers;
    this.connection = new Connection({
      open: () => new WebSocket(socketAddress(location.href)),
      onText: () => undefined,
      onBinary: (message) => void this.arrived(message),
      onState: () => undefined,
    });
    this.connection.send({ type: "watch", tiles: [{ camera, width_px: widthPx, pictures: true }], max_fps: FPS });
  }

  end(): void {
    this.isEnded = true;
    this.connection.close();
  }

  private async arrived(message: ArrayBuffer): Promise<void> {
    let frame: ArrivedFrame;
    try {
      frame = readFrame(message);
    } catch {
      return;
    }
    if (frame.header.camera !== this.camera) return;
    const { epoch, seq } = frame.header;
    if (frame.jpeg !== null && !this.isBusy) {
      this.isBusy = true;
      try {
        const bitmap = await createImageBitmap(new Blob([frame.jpeg], { type: "image/jpeg" }));
        if (!this.isEnded) this.handlers.onPicture(bitmap, frame.header.size);
      } catch {
        // A broken picture: the next one comes.
      }
      this.isBusy = false;
    }
    if (!this.isEnded) this.connection.send({ type: "shown", camera: this.camera, epoch, seq });
  }
}

/** One picture of a camera, taken for this person. Throws HttpProblem; ends with `signal`. */
export async function takePicture(body: Record<string, unknown>, signal: AbortSignal): Promise<Blob> {
  // The wall ends the process that takes it as soon as nobody waits.
  const answer = await request("POST", "/api/test-picture", body, signal);
  return await answer.blob();
}
