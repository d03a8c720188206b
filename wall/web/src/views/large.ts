// One camera as large as it fits, with its people, its events, and why it is analysed as it is.

import { colorOf } from "../drawing/colors.ts";
import { inDrawingOrder } from "../drawing/skeleton.ts";
import { eventWords, gravity } from "../live/event_words.ts";
import { getJson, HttpProblem } from "../http.ts";
import { address, go } from "../routes.ts";
import { el, replace, setText } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import { Tile } from "../ui/tile.ts";
import { clock, figure, milliseconds, peopleText } from "../ui/times.ts";
import type { View, Wall } from "../wall.ts";
import { isShown } from "./timeline.ts";
import { openMoment } from "./moment.ts";

const MAX_FPS = 30;
const MOST_EVENTS = 12;

export function largeView(wall: Wall, camera: string): View {
  const { store } = wall;
  wall.wishes.clear(MAX_FPS);
  const tile = new Tile(wall, camera);
  const picture = el("div", { class: "large-stage", role: "img", "aria-label": tile.label }, tile.stage);
  const facts = el("dl", { class: "facts" });
  const people = el("ul", { class: "plain-list" });
  const peopleHead = el("h2", null, "People");
  const events = el("ul", { class: "plain-list" });
  const draw = el(
    "a",
    { class: "button", href: address({ view: "draw", camera }) },
    icon("draw"),
    "Draw zones and lines",
  );
  const side = el(
    "aside",
    { class: "side", "aria-label": `About ${camera}` },
    el("div", { class: "stack" }, facts, draw),
    el("section", { class: "stack" }, peopleHead, people),
    el(
      "section",
      { class: "stack" },
      el(
        "div",
        { class: "row" },
        el("h2", { class: "grow" }, "Events"),
        el("a", { href: address({ view: "events", camera }) }, "All events"),
      ),
      events,
    ),
    explainSection(camera),
  );
  const head = el(
    "div",
    { class: "large-head" },
    el("a", { class: "button plain", href: address({ view: "wall" }) }, icon("back"), "All cameras"),
    el("h1", { class: "grow" }, camera),
    el("button", { class: "plain icon", "aria-label": "Previous camera", onclick: () => step(-1) }, icon("back")),
    el("button", { class: "plain icon", "aria-label": "Next camera", onclick: () => step(1) }, icon("next")),
  );
  const node = el("div", { class: "large" }, el("div", { class: "large-main" }, head, picture), side);

  function step(by: number): void {
    const names = store.cameras?.map((known) => known.name) ?? [];
    if (names.length === 0) return;
    const at = names.indexOf(camera);
    go({ view: "camera", camera: names[(Math.max(at, 0) + by + names.length) % names.length]! });
  }

  function update(): void {
    tile.update();
    picture.setAttribute("aria-label", tile.label);
    draw.hidden = store.camera(camera) === null || !store.may("change");
    showFacts(wall, camera, facts);
    showPeople(wall, camera, peopleHead, people);
  }

  function showEvents(): void {
    const own = store.events
      .filter((event) => event.data.camera === camera && isShown(event, "rules"))
      .slice(0, MOST_EVENTS);
    const rows = own.map((event) =>
      el(
        "li",
        null,
        el(
          "button",
          { class: "plain event-row", onclick: () => openMoment(wall, event) },
          el("span", { class: "number soft" }, clock(Date.parse(event.time))),
          el("span", { class: `mark ${gravity(event)}` }),
          el("span", { class: "grow" }, eventWords(event)),
        ),
      ),
    );
    replace(events, ...(rows.length ? rows : [el("li", { class: "soft" }, "None since you opened this page.")]));
  }

  const timer = setInterval(update, 500);
  const offs = [
    store.on("cameras", update),
    store.on("pictures", () => tile.repaint()),
    store.on("event", () => {
      const event = store.events[0];
      if (event?.data.camera !== camera) return;
      tile.highlight(event);
      showEvents();
    }),
  ];
  update();
  showEvents();
  return {
    title: camera,
    node,
    key: (event) => {
      if (event.key === "ArrowLeft") step(-1);
      else if (event.key === "ArrowRight") step(1);
      else if (event.key === "Escape") go({ view: "wall" });
      else return false;
      return true;
    },
    end: () => {
      clearInterval(timer);
      for (const off of offs) off();
      tile.end();
    },
  };
}

function showFacts(wall: Wall, camera: string, host: HTMLElement): void {
  const info = wall.store.camera(camera);
  const frame = wall.feeds.of(camera).shown;
  const size = frame ? `${frame.header.size[0]} × ${frame.header.size[1]}` : "–";
  const heads = wall.store.pictures && frame?.header.blurred ? "blurred" : null;
  const facts: [string, string | null][] = [
    ["State", info?.state ?? "gone"],
    ["Rate", info ? `${figure(info.fps_out)} of ${figure(info.fps_in)} fps` : null],
    ["Age", info ? milliseconds(info.age_ms) : null],
    ["Size", size],
    ["Dropped", info ? String(info.dropped) : null],
    ["Heads", heads],
    ["Source", info?.source || null],
  ];
  const shown = facts.filter(([, value]) => value !== null);
  if (host.children.length !== shown.length)
    replace(host, ...shown.map(() => el("div", null, el("dt"), el("dd", { class: "number" }))));
  shown.forEach(([name, value], index) => {
    setText(host.children[index]!.children[0]!, name);
    setText(host.children[index]!.children[1]!, value!);
  });
}

function showPeople(wall: Wall, camera: string, head: HTMLElement, host: HTMLElement): void {
  const feed = wall.feeds.of(camera);
  const online = wall.store.camera(camera)?.state === "online";
  const tracks = online
    ? inDrawingOrder(feed.shown?.header.tracks ?? [])
        .filter((track) => track.state === "confirmed")
        .sort((a, b) => a.id - b.id)
    : [];
  setText(head, tracks.length === 0 ? "Nobody" : peopleText(tracks.length));
  const rows = tracks.map((track) => {
    const speed = feed.traces.speed(track.id);
    const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.setProperty("--identity", colorOf(track.id));
    return el(
      "li",
      { class: "person-row" },
      swatch,
      el("b", { class: "number" }, track.id),
      el("span", { class: "grow" }, track.action ?? ""),
      el("span", { class: "soft number" }, speed ? `${speed.value.toFixed(1)} ${speed.unit}` : ""),
    );
  });
  replace(host, ...rows);
}

/** A part that asks for the explanation only when it is opened. */
function explainSection(camera: string): HTMLElement {
  const body = el("div", { class: "stack", role: "status" });
  const details = el("details", { class: "explain" }, el("summary", null, "How it is analysed, and why"), body);
  details.addEventListener("toggle", async () => {
    if (!details.open) return;
    replace(body, el("p", { class: "soft" }, "Asking …"));
    try {
      const said = await getJson<{ sentences?: unknown; details?: unknown }>(
        `/api/explain/${encodeURIComponent(camera)}`,
      );
      const sentences = Array.isArray(said.sentences) ? said.sentences.map(String) : [];
      const json = el(
        "details",
        null,
        el("summary", null, "Details"),
        el("pre", { class: "json", tabindex: 0 }, JSON.stringify(said.details ?? {}, null, 2)),
      );
      replace(body, el("ul", { class: "sentences" }, ...sentences.map((sentence) => el("li", null, sentence))), json);
    } catch (problem) {
      replace(
        body,
        el("p", { class: "note bad" }, problem instanceof HttpProblem ? problem.sentence : "It cannot be shown."),
      );
    }
  });
  return details;
}
