// Everybody who is seen now, on all cameras, with a thumbnail that the browser cuts from the last picture.

import type { Track } from "../protocol.ts";
import { PAPER, colorOf } from "../drawing/colors.ts";
import { lineWidth, type Place } from "../drawing/fit.ts";
import { skeletonOf } from "../drawing/skeleton.ts";
import { strokeSkeleton } from "../drawing/paint.ts";
import type { Feed } from "../live/feeds.ts";
import { address } from "../routes.ts";
import { el, setText } from "../ui/dom.ts";
import { clock, peopleText, since } from "../ui/times.ts";
import type { View, Wall } from "../wall.ts";

const MAX_FPS = 5;
const PICTURE_WIDTH = 640;
const UPDATE_MS = 400;
const [THUMB_WIDTH, THUMB_HEIGHT] = [96, 128];

interface Card {
  node: HTMLElement;
  canvas: HTMLCanvasElement;
  texts: Record<"since" | "action" | "speed", HTMLElement>;
}

export function peopleView(wall: Wall): View {
  wall.wishes.clear(MAX_FPS);
  const head = el("h1", null, "People");
  const list = el("ul", { class: "cards", "aria-label": "People who are seen now" });
  const nobody = el("p", { class: "soft" }, "Nobody is seen at the moment.");
  const node = el("div", { class: "page stack" }, head, nobody, list);
  const cards = new Map<string, Card>();

  function watch(): void {
    for (const camera of wall.store.cameras ?? [])
      wall.wishes.want(camera.name, camera.state === "online" ? PICTURE_WIDTH : 0);
  }

  function update(): void {
    const seen = new Set<string>();
    for (const camera of wall.store.cameras ?? []) {
      const feed = wall.feeds.of(camera.name);
      const tracks = camera.state === "online" ? (feed.shown?.header.tracks ?? []) : [];
      for (const track of tracks) {
        if (track.state !== "confirmed") continue;
        const key = JSON.stringify([camera.name, feed.shown!.header.epoch, track.id]);
        seen.add(key);
        let card = cards.get(key);
        if (!card) {
          cards.set(key, (card = cardOf(camera.name, track.id)));
          list.append(card.node);
        }
        show(wall, card, feed, track);
      }
    }
    for (const [key, card] of cards) {
      if (seen.has(key)) continue;
      card.node.remove();
      cards.delete(key);
    }
    nobody.hidden = cards.size > 0;
    setText(head, cards.size > 0 ? peopleText(cards.size) : "People");
  }

  const timer = setInterval(update, UPDATE_MS);
  const off = wall.store.on("cameras", watch);
  watch();
  update();
  return {
    title: "People",
    node,
    end: () => {
      clearInterval(timer);
      off();
    },
  };
}

function cardOf(camera: string, id: number): Card {
  const canvas = el("canvas", {
    class: "thumb",
    "aria-hidden": "true",
    width: THUMB_WIDTH * 2,
    height: THUMB_HEIGHT * 2,
  });
  const plate = el("span", { class: "plate number" }, id);
  plate.style.setProperty("--identity", colorOf(id));
  const texts = { since: el("dd", { class: "number" }), action: el("dd"), speed: el("dd", { class: "number" }) };
  const facts = el(
    "dl",
    null,
    el("div", null, el("dt", null, "Since"), texts.since),
    el("div", null, el("dt", null, "Does"), texts.action),
    el("div", null, el("dt", null, "Speed"), texts.speed),
  );
  const text = el(
    "div",
    { class: "grow stack-s" },
    el(
      "div",
      { class: "row" },
      el("span", { class: "unseen" }, "Person"),
      plate,
      el("span", { class: "where" }, camera),
    ),
    facts,
  );
  return {
    node: el("li", null, el("a", { class: "card", href: address({ view: "camera", camera }) }, canvas, text)),
    canvas,
    texts,
  };
}

function show(wall: Wall, card: Card, feed: Feed, track: Track): void {
  const first = feed.firstSeen.get(track.id);
  const speed = feed.traces.speed(track.id);
  setText(card.texts.since, first ? (first.before ? `before ${since(first.at, Date.now())}` : clock(first.at)) : "–");
  setText(card.texts.action, track.action ?? "–");
  setText(card.texts.speed, speed ? `${speed.value.toFixed(1)} ${speed.unit}` : "–");
  paintThumb(card.canvas, feed, track, wall.store.pictures);
}

/** Cuts the person out of the picture, with room around; without pictures, the skeleton alone. */
function paintThumb(canvas: HTMLCanvasElement, feed: Feed, track: Track, pictures: boolean): void {
  const context = canvas.getContext("2d");
  const frame = feed.shown;
  if (!context || !frame) return;
  const crop = cropOf(track.box, canvas.width / canvas.height, frame.header.size);
  const scale = canvas.width / crop.width;
  const place: Place = {
    left: -crop.left * scale,
    top: -crop.top * scale,
    width: frame.header.size[0] * scale,
    height: frame.header.size[1] * scale,
    scale,
  };
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const hasPicture = frame.bitmap !== null && pictures;
  if (frame.bitmap && hasPicture) context.drawImage(frame.bitmap, place.left, place.top, place.width, place.height);
  if (hasPicture && track.keypoints === null) return;
  context.lineCap = context.lineJoin = "round";
  strokeSkeleton(
    context,
    place,
    skeletonOf(track.keypoints),
    colorOf(track.id),
    Math.max(3, lineWidth(place, track.box[3] - track.box[1])) * (hasPicture ? 0.8 : 1.2),
  );
}

/**
 * Returns the part of the picture to cut, in source pixels: the box with a tenth around it, in the thumbnail's aspect;
 * at the border of the picture moved inside.
 */
export function cropOf(
  box: Track["box"],
  aspect: number,
  size: readonly [number, number],
): { left: number; top: number; width: number; height: number } {
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const height = Math.max((box[3] - box[1]) * 1.2, ((box[2] - box[0]) * 1.2) / aspect, 1);
  const width = height * aspect;
  return { left: inside(x - width / 2, width, size[0]), top: inside(y - height / 2, height, size[1]), width, height };
}

function inside(start: number, length: number, whole: number): number {
  return length >= whole ? (whole - length) / 2 : Math.min(Math.max(start, 0), whole - length);
}
