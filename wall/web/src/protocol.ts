// The messages between a page and the wall; the other side is wall/live/messages.py.

export type RightName = "poses" | "pictures" | "send" | "change";
export type RoleName = "operator" | "viewer" | "privacy viewer";

/** Who has opened the page. */
export interface Person {
  name: string;
  role: RoleName;
  rights: RightName[];
}

/** One person in one frame. Lengths are source pixels; `keypoints` are rows of x, y, confidence in COCO's order. */
export interface Track {
  id: number;
  state: "tentative" | "confirmed" | "lost" | "ended";
  box: [number, number, number, number];
  keypoints: [number, number, number][] | null;
  action: string | null;
  /** Position on the floor in metres. */
  floor: [number, number] | null;
}

/** The header of a binary message: a frame with its tracks. The picture follows, unless `picture` is null. */
export interface FrameHeader {
  type: "frame";
  camera: string;
  epoch: number;
  seq: number;
  captured_at_ms: number;
  /** Width and height of the source, in pixels: the coordinates of the tracks. */
  size: [number, number];
  /** Width and height of the JPEG that follows. */
  picture: [number, number] | null;
  /** Whether heads are blurred in it. */
  blurred: boolean;
  tracks: Track[];
}

/** A rule of a camera that has a place. `points` are source pixels, or shares of the picture if all are at most 1. */
export interface RuleShape {
  name: string;
  kind: string;
  shape: "polygon" | "line";
  points: [number, number][];
}

export interface CameraInfo {
  name: string;
  source: string;
  state: string;
  /** Why it is not online, or what is wrong with what it delivers. */
  trouble: string | null;
  fps_in: number | null;
  fps_out: number | null;
  age_ms: number | null;
  people: number | null;
  dropped: number;
  rules: RuleShape[];
  /** Corners of the floor plan in metres (least x, least y, greatest x, greatest y); null without a ground plane. */
  floor: [number, number, number, number] | null;
}

export interface ProcessInfo {
  id: string;
  role: string;
  host: string;
  pid: number;
  fps: number | null;
  does: string;
}

export interface Deployment {
  processes: ProcessInfo[];
  bottlenecks: string[];
  warnings: string[];
  broker_used_bytes: number | null;
  broker_limit_bytes: number | null;
}

/** An event as the public contract has it (CloudEvents 1.0), and its cursor. */
export interface WallEvent {
  id: string;
  type: string;
  time: string;
  subject?: string;
  data: Record<string, unknown> & { camera: string; epoch: number; seq: number };
}

export type FromServer =
  | { type: "hello"; person: Person; version: string; privacy: "heads" | "none" }
  | { type: "cameras"; cameras: CameraInfo[] }
  | { type: "deployment"; deployment: Deployment }
  | { type: "event"; event: WallEvent }
  | { type: "broker"; there: boolean; sentence: string | null }
  | { type: "problem"; sentence: string };

/** What one tile shows: the width of its picture on the screen in device pixels; without pictures, skeletons only. */
export interface TileWish {
  camera: string;
  width_px: number;
  pictures: boolean;
}

export type ToServer =
  | { type: "watch"; tiles: TileWish[]; max_fps: number }
  | { type: "follow"; deployment: boolean }
  /** A frame was shown: the next of its camera may be sent. At most two are on the way. */
  | { type: "shown"; camera: string; epoch: number; seq: number };
