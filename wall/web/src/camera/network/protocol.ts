// The messages between the camera page and the worker that runs the network.

import type { Person } from "../messages.ts";

export type ToNetwork =
  | { type: "load"; webgpu: boolean }
  | { type: "infer"; frame: number; bitmap: ImageBitmap; imgsz: number };

export type FromNetwork =
  | { type: "loaded"; engine: string }
  | { type: "failed"; sentence: string }
  | { type: "people"; frame: number; people: Person[]; tookMs: number; imgsz: number };
