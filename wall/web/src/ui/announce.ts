// What screen readers hear of what happens: one polite sentence every few seconds, however much happens.

import { el } from "./dom.ts";

const QUIET_MS = 4000;

export class Announcer {
  readonly node = el("div", { class: "unseen", "aria-live": "polite", "aria-atomic": "true" });
  private waiting: string[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;

  say(sentence: string): void {
    this.waiting.push(sentence);
    if (this.timer === null) this.speak();
  }

  private speak(): void {
    const [first, ...others] = this.waiting;
    this.waiting = [];
    if (first === undefined) {
      this.timer = null;
      return;
    }
    this.node.textContent = others.length === 0 ? first : `${first}; and ${others.length} more`;
    this.timer = setTimeout(() => this.speak(), QUIET_MS);
  }
}
