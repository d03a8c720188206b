// Checks what arrives. The page draws nothing that has not passed here, so a forged or broken message is one sentence.

import type {
  CameraInfo,
  Deployment,
  FrameHeader,
  FromServer,
  Person,
  ProcessInfo,
  RuleShape,
  Track,
  WallEvent,
} from "../protocol.ts";

/** What is wrong with a message. */
export class MessageProblem extends Error {}

type Json = Record<string, unknown>;

const MAX_HEADER_BYTES = 4_000_000;
const MAX_SIDE = 65_536;
const STATES = ["tentative", "confirmed", "lost", "ended"];
const ROLES = ["operator", "viewer", "privacy viewer"];
const RIGHTS = ["poses", "pictures", "send", "change"];

/** A frame as it arrived: its header, and the bytes of its JPEG. */
export interface ArrivedFrame {
  header: FrameHeader;
  jpeg: Uint8Array<ArrayBuffer> | null;
}

/** Splits a binary message: length of the header (uint32, little-endian), header, JPEG. Throws MessageProblem. */
export function readFrame(message: ArrayBuffer): ArrivedFrame {
  if (message.byteLength < 4) throw new MessageProblem("a frame ended before its header");
  const length = new DataView(message).getUint32(0, true);
  if (length > MAX_HEADER_BYTES || 4 + length > message.byteLength)
    throw new MessageProblem("a frame's header is longer than the frame");
  const header = checkFrame(parse(new TextDecoder().decode(new Uint8Array(message, 4, length))));
  const jpeg = new Uint8Array(message, 4 + length);
  if (header.picture !== null && jpeg.byteLength === 0) throw new MessageProblem("a frame came without its picture");
  return { header, jpeg: header.picture === null ? null : jpeg };
}

/** Reads a text message. Throws MessageProblem; returns null for a type that this page does not know. */
export function readText(text: string): FromServer | null {
  const said = object(parse(text), "a message");
  switch (said["type"]) {
    case "hello":
      return {
        type: "hello",
        person: checkPerson(said["person"]),
        version: optionalText(said["version"]) ?? "",
        privacy: said["privacy"] === "none" ? "none" : "heads",
      };
    case "cameras":
      return { type: "cameras", cameras: list(said["cameras"], "cameras").map(checkCamera) };
    case "deployment":
      return { type: "deployment", deployment: checkDeployment(said["deployment"]) };
    case "event":
      return { type: "event", event: checkEvent(said["event"]) };
    case "broker":
      return { type: "broker", there: said["there"] === true, sentence: optionalText(said["sentence"]) };
    case "problem":
      return { type: "problem", sentence: text_(said["sentence"], "sentence") };
    default:
      return null;
  }
}

export function checkPerson(value: unknown): Person {
  const person = object(value, "person");
  const role = ROLES.includes(String(person["role"])) ? (person["role"] as Person["role"]) : "privacy viewer";
  const rights = Array.isArray(person["rights"]) ? person["rights"].filter((right) => RIGHTS.includes(right)) : [];
  return { name: text_(person["name"], "name"), role, rights };
}

export function checkEvent(value: unknown): WallEvent {
  const event = object(value, "event");
  const data = object(event["data"], "data");
  const camera = optionalText(data["camera"]) ?? optionalText(event["subject"]) ?? "";
  const checked: WallEvent = {
    id: text_(event["id"], "id"),
    type: text_(event["type"], "type"),
    time: text_(event["time"], "time"),
    data: { ...data, camera, epoch: Number(data["epoch"] ?? 0), seq: Number(data["seq"] ?? 0) },
  };
  const subject = optionalText(event["subject"]);
  if (subject !== null) checked.subject = subject;
  return checked;
}

function checkFrame(value: unknown): FrameHeader {
  const header = object(value, "a frame's header");
  if (header["type"] !== "frame") throw new MessageProblem("a binary message is no frame");
  return {
    type: "frame",
    camera: text_(header["camera"], "camera"),
    epoch: number(header["epoch"], "epoch"),
    seq: number(header["seq"], "seq"),
    captured_at_ms: number(header["captured_at_ms"], "captured_at_ms"),
    size: size(header["size"]),
    picture: header["picture"] === null || header["picture"] === undefined ? null : size(header["picture"]),
    blurred: header["blurred"] === true,
    tracks: list(header["tracks"], "tracks").map(checkTrack),
  };
}

function checkTrack(value: unknown): Track {
  const track = object(value, "track");
  const keypoints = track["keypoints"];
  const state = String(track["state"]);
  if (!STATES.includes(state)) throw new MessageProblem("a track has an unknown state");
  return {
    id: number(track["id"], "id"),
    state: state as Track["state"],
    box: numbers(track["box"], 4, "box") as Track["box"],
    keypoints: Array.isArray(keypoints)
      ? keypoints.map((row) => numbers(row, 3, "keypoints") as [number, number, number])
      : null,
    action: optionalText(track["action"]),
    floor: Array.isArray(track["floor"]) ? (numbers(track["floor"], 2, "floor") as [number, number]) : null,
  };
}

function checkCamera(value: unknown): CameraInfo {
  const camera = object(value, "camera");
  return {
    name: text_(camera["name"], "name"),
    source: optionalText(camera["source"]) ?? "",
    state: optionalText(camera["state"]) ?? "unknown",
    trouble: optionalText(camera["trouble"]),
    fps_in: optionalNumber(camera["fps_in"]),
    fps_out: optionalNumber(camera["fps_out"]),
    age_ms: optionalNumber(camera["age_ms"]),
    people: optionalNumber(camera["people"]),
    dropped: optionalNumber(camera["dropped"]) ?? 0,
    rules: Array.isArray(camera["rules"]) ? camera["rules"].flatMap(checkRule) : [],
    floor: Array.isArray(camera["floor"])
      ? (numbers(camera["floor"], 4, "floor") as [number, number, number, number])
      : null,
  };
}

function checkRule(value: unknown): RuleShape[] {
  const rule = object(value, "rule");
  const points = Array.isArray(rule["points"])
    ? rule["points"].map((point) => numbers(point, 2, "points") as [number, number])
    : [];
  if (points.length < 2) return [];
  return [
    {
      name: text_(rule["name"], "name"),
      kind: optionalText(rule["kind"]) ?? "",
      shape: points.length === 2 ? "line" : "polygon",
      points,
    },
  ];
}

function checkDeployment(value: unknown): Deployment {
  const deployment = object(value, "deployment");
  return {
    processes: list(deployment["processes"], "processes").map(checkProcess),
    bottlenecks: texts(deployment["bottlenecks"]),
    warnings: texts(deployment["warnings"]),
    broker_used_bytes: optionalNumber(deployment["broker_used_bytes"]),
    broker_limit_bytes: optionalNumber(deployment["broker_limit_bytes"]),
  };
}

function checkProcess(value: unknown): ProcessInfo {
  const process = object(value, "process");
  return {
    id: optionalText(process["id"]) ?? "",
    role: optionalText(process["role"]) ?? "",
    host: optionalText(process["host"]) ?? "",
    pid: optionalNumber(process["pid"]) ?? 0,
    fps: optionalNumber(process["fps"]),
    does: optionalText(process["does"]) ?? "",
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MessageProblem("a message is no JSON");
  }
}

function object(value: unknown, what: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new MessageProblem(`${what} is no object`);
  return value as Json;
}

function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new MessageProblem(`${what} is no list`);
  return value;
}

function text_(value: unknown, what: string): string {
  if (typeof value !== "string") throw new MessageProblem(`${what} is no text`);
  return value;
}

function number(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new MessageProblem(`${what} is no number`);
  return value;
}

function numbers(value: unknown, count: number, what: string): number[] {
  const found = list(value, what);
  if (found.length !== count) throw new MessageProblem(`${what} has ${found.length} numbers instead of ${count}`);
  return found.map((one) => number(one, what));
}

function size(value: unknown): [number, number] {
  const sides = numbers(value, 2, "size");
  if (sides.some((side) => side < 1 || side > MAX_SIDE)) throw new MessageProblem("a size is out of bounds");
  return sides as [number, number];
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
const optionalText = (value: unknown): string | null => (typeof value === "string" ? value : null);
const optionalNumber = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
