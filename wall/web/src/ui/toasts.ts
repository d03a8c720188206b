// Short notes in the corner: what has just happened, a few at a time, each a way to the moment.

import { el, replace } from "./dom.ts";

export interface Note {
  /** Notes of the same key become one with a count. */
  key: string;
  where: string;
  words: string;
  kind: "bad" | "warn" | "good" | "plain";
  open: () => void;
}

const MOST = 3;
const SHOWN_MS = 6000;

export class Toasts {
  private readonly list = el("ul");
  readonly node = el("section", { class: "toasts", "aria-label": "What has just happened" }, this.list);
  private notes: { note: Note; count: number; item: HTMLElement; timer: ReturnType<typeof setTimeout> }[] = [];

  add(note: Note): void {
    const same = this.notes.find((shown) => shown.note.key === note.key);
    const count = (same?.count ?? 0) + 1;
    if (same) this.remove(same.item);
    const item = el("li", { class: `toast ${note.kind}` });
    const open = (): void => {
      this.remove(item);
      note.open();
    };
    const more = count > 1 && el("span", { class: "count", title: `${count} times` }, `×${count}`);
    replace(
      item,
      el("button", { class: "plain", onclick: open }, el("b", null, note.where), el("span", null, note.words), more),
    );
    this.notes.push({ note, count, item, timer: setTimeout(() => this.remove(item), SHOWN_MS) });
    this.list.append(item);
    while (this.notes.length > MOST) this.remove(this.notes[0]!.item);
  }

  clear(): void {
    for (const { item } of [...this.notes]) this.remove(item);
  }

  private remove(item: HTMLElement): void {
    const found = this.notes.find((shown) => shown.item === item);
    if (!found) return;
    // Whoever is about to press it keeps it.
    if (item.matches(":hover") || item.contains(document.activeElement)) {
      clearTimeout(found.timer);
      found.timer = setTimeout(() => this.remove(item), SHOWN_MS);
      if (this.notes.length <= MOST) return;
    }
    clearTimeout(found.timer);
    this.notes = this.notes.filter((shown) => shown !== found);
    item.remove();
  }
}
