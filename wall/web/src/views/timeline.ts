// All events, the newest first: filtered by camera and kind, a page at a time, and each a way to its moment.

import type { WallEvent } from "../protocol.ts";
import { getJson, HttpProblem } from "../http.ts";
import { eventWords, gravity, kindOf } from "../live/event_words.ts";
import { checkEvent } from "../live/messages.ts";
import { el, replace } from "../ui/dom.ts";
import { clock, counted, day } from "../ui/times.ts";
import type { View, Wall } from "../wall.ts";
import { openMoment } from "./moment.ts";

const PAGE = 100;
/** Groups of kinds: which person appears when is noise for most readers, and one press away for the others. */
const KINDS = { rules: "Rules and cameras", people: "People come and go", all: "Everything" } as const;
type Kinds = keyof typeof KINDS;
/** What a busy deployment says of its cameras many times a minute; status has the sum of it. */
const ROUTINE: ReadonlySet<string> = new Set(["camera.gap", "camera.rate", "camera.imgsz"]);

export function timelineView(wall: Wall, camera: string): View {
  wall.wishes.clear(1);
  const state = {
    camera,
    kind: "rules" as Kinds | `=${string}`,
    before: null as string | null,
    events: [] as WallEvent[],
    round: 0,
  };
  const cameras = el("select", { id: "event-camera" });
  const kinds = el("select", { id: "event-kind" });
  const list = el("div", { class: "timeline" });
  const note = el("p", { class: "soft", role: "status" });
  const more = el("button", { hidden: true, onclick: () => void load() }, "Show older ones");
  const filters = el(
    "div",
    { class: "row filters" },
    el("label", { for: "event-camera" }, "Camera"),
    cameras,
    el("label", { for: "event-kind" }, "Show"),
    kinds,
  );
  const node = el(
    "div",
    { class: "page stack" },
    el("div", { class: "row" }, el("h1", { class: "grow" }, "Events"), filters),
    list,
    note,
    more,
  );

  function fillFilters(): void {
    const names = new Set((wall.store.cameras ?? []).map((known) => known.name));
    if (state.camera) names.add(state.camera);
    fill(cameras, [["", "all"], ...[...names].map((name): [string, string] => [name, name])], state.camera);
    const own = [...new Set(state.events.map(kindOf))].sort();
    fill(kinds, [...Object.entries(KINDS), ...own.map((kind): [string, string] => [`=${kind}`, kind])], state.kind);
  }

  function show(): void {
    const shown = state.events.filter((event) => isShown(event, state.kind));
    replace(list, ...byDay(wall, shown));
    note.textContent =
      shown.length > 0
        ? ""
        : state.events.length > 0
          ? `None of these kinds among the last ${counted(state.events.length, "event")}.`
          : state.before === null
            ? "No events yet."
            : "None among the newest events.";
    more.hidden = state.before === null;
    fillFilters();
  }

  async function load(): Promise<void> {
    const round = ++state.round;
    note.textContent = "Looking for events …";
    const query = new URLSearchParams({ count: String(PAGE) });
    if (state.camera) query.set("camera", state.camera);
    if (state.before !== null) query.set("before", state.before);
    try {
      const page = await getJson<{ events?: unknown; before?: unknown }>(`/api/events?${query}`);
      if (round !== state.round) return;
      const found = Array.isArray(page.events) ? page.events.map(checkEvent) : [];
      state.events = merge([...state.events, ...found]);
      state.before = typeof page.before === "string" ? page.before : null;
      show();
    } catch (problem) {
      if (round !== state.round) return;
      show();
      note.textContent = problem instanceof HttpProblem ? problem.sentence : "The events cannot be read.";
    }
  }

  function begin(): void {
    state.before = null;
    state.events = wall.store.events.filter((event) => !state.camera || event.data.camera === state.camera);
    void load();
  }

  cameras.addEventListener("change", () => {
    state.camera = cameras.value;
    begin();
  });
  kinds.addEventListener("change", () => {
    state.kind = kinds.value as typeof state.kind;
    show();
  });
  const offs = [
    wall.store.on("event", () => {
      const event = wall.store.events[0];
      if (!event || (state.camera && event.data.camera !== state.camera)) return;
      state.events = merge([event, ...state.events]);
      // Rows do not move away under a reader's focus or pointer.
      if (!list.matches(":hover") && !list.contains(document.activeElement)) show();
    }),
    wall.store.on("cameras", fillFilters),
  ];
  fillFilters();
  begin();
  return { title: "Events", node, end: () => offs.forEach((off) => off()) };
}

/** Returns the events once each, the newest first. */
export function merge(events: readonly WallEvent[]): WallEvent[] {
  const once = new Map(events.map((event) => [event.id, event]));
  return [...once.values()].sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
}

/** Whether a choice of kinds (a group, or "=" and one kind) shows an event. */
export function isShown(event: WallEvent, choice: Kinds | `=${string}`): boolean {
  const kind = kindOf(event);
  if (choice === "all") return true;
  if (choice === "people") return kind.startsWith("track.");
  if (choice === "rules") return !kind.startsWith("track.") && !ROUTINE.has(kind);
  return `=${kind}` === choice;
}

function byDay(wall: Wall, events: readonly WallEvent[]): HTMLElement[] {
  const days = new Map<string, WallEvent[]>();
  for (const event of events) {
    const name = day(Date.parse(event.time));
    const those = days.get(name);
    if (those) those.push(event);
    else days.set(name, [event]);
  }
  return [...days].map(([name, those]) =>
    el(
      "section",
      null,
      el("h2", null, name),
      el("ol", { class: "plain-list" }, ...those.map((event) => row(wall, event))),
    ),
  );
}

function row(wall: Wall, event: WallEvent): HTMLElement {
  const open = (): void => void openMoment(wall, event);
  return el(
    "li",
    null,
    el(
      "button",
      { class: "plain event-row", onclick: open },
      el("span", { class: "number soft" }, clock(Date.parse(event.time))),
      el("span", { class: `mark ${gravity(event)}` }),
      el("span", { class: "grow" }, eventWords(event)),
      el("span", { class: "soft where" }, event.data.camera),
    ),
  );
}

function fill(select: HTMLSelectElement, options: [string, string][], value: string): void {
  const wanted = JSON.stringify(options);
  if (select.dataset["options"] !== wanted) {
    select.dataset["options"] = wanted;
    replace(select, ...options.map(([name, text]) => el("option", { value: name }, text)));
  }
  select.value = value;
}
