// All cameras at once, as large as the window allows.

import { commonAspect, neighbour, tiling } from "../drawing/tiling.ts";
import { address } from "../routes.ts";
import { el, setText } from "../ui/dom.ts";
import { Tile } from "../ui/tile.ts";
import type { View, Wall } from "../wall.ts";
import { emptyNote } from "./empty.ts";

const GAP_PX = 8;
const MAX_FPS = 15;

interface Entry {
  tile: Tile;
  link: HTMLAnchorElement;
  item: HTMLLIElement;
}

export function gridView(wall: Wall): View {
  const list = el("ul", { class: "grid", "aria-label": "Cameras" });
  const empty = el("div", { class: "centre" });
  const node = el("div", { class: "wall" }, list, empty);
  const entries = new Map<string, Entry>();
  let columns = 1;
  wall.wishes.clear(MAX_FPS);

  function lay(): void {
    const sizes = [...entries.keys()]
      .map((name) => wall.feeds.of(name).shown?.header.size)
      .filter((size) => size !== undefined);
    const [width, height] = [node.clientWidth - 2 * GAP_PX, node.clientHeight - 2 * GAP_PX];
    const laid = tiling(entries.size, width, height, GAP_PX, commonAspect(sizes));
    columns = laid.columns;
    list.style.setProperty("--columns", String(laid.columns));
    list.style.setProperty("--tile-width", `${laid.width}px`);
    list.style.setProperty("--tile-height", `${laid.height}px`);
  }

  function update(): void {
    const cameras = wall.store.cameras;
    const names = new Set(cameras?.map((camera) => camera.name));
    for (const [name, entry] of entries) {
      if (names.has(name)) continue;
      entry.tile.end();
      entry.item.remove();
      entries.delete(name);
    }
    for (const camera of cameras ?? []) {
      if (!entries.has(camera.name)) entries.set(camera.name, entryOf(wall, camera.name));
    }
    const items = [...names].map((name) => entries.get(name)!.item);
    if (items.length !== list.children.length || items.some((item, index) => list.children[index] !== item))
      list.replaceChildren(...items);
    refresh();
    list.hidden = entries.size === 0;
    emptyNote(wall, empty, cameras);
    lay();
  }

  function refresh(): void {
    for (const { tile, link } of entries.values()) {
      tile.update();
      const label = `${tile.label}. Open large`;
      setText(link.lastElementChild!, label);
    }
  }

  function key(event: KeyboardEvent): boolean {
    const links = [...entries.values()].map((entry) => entry.link);
    if (links.length === 0 || !["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key))
      return false;
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[at < 0 ? 0 : neighbour(at, event.key, links.length, columns)]!.focus();
    return true;
  }

  const resized = new ResizeObserver(lay);
  resized.observe(node);
  const timer = setInterval(() => {
    refresh();
    lay();
  }, 1000);
  const offs = [
    wall.store.on("cameras", update),
    wall.store.on("pictures", () => entries.forEach(({ tile }) => tile.repaint())),
    wall.store.on("event", () => {
      const event = wall.store.events[0];
      if (event) entries.get(event.data.camera)?.tile.highlight(event);
    }),
  ];
  update();
  return {
    title: "Wall",
    node,
    key,
    end: () => {
      clearInterval(timer);
      resized.disconnect();
      for (const off of offs) off();
      for (const { tile } of entries.values()) tile.end();
    },
  };
}

function entryOf(wall: Wall, camera: string): Entry {
  const tile = new Tile(wall, camera);
  tile.stage.setAttribute("aria-hidden", "true");
  const link = el(
    "a",
    { class: "tile", href: address({ view: "camera", camera }) },
    tile.stage,
    el("span", { class: "unseen" }),
  );
  return { tile, link, item: el("li", null, link) };
}
