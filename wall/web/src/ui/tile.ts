// One camera on the screen: its frame with what belongs to it, and in words what is the matter if there is none.

import type { CameraInfo, WallEvent } from "../protocol.ts";
import type { Wall } from "../wall.ts";
import { paint } from "../drawing/paint.ts";
import { type Condition, conditionOf, figuresOf, stateKind } from "../live/condition.ts";
import { eventWords, gravity, isNotable, ruleOf } from "../live/event_words.ts";
import type { ShownFrame } from "../live/feeds.ts";
import { el, replace, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { figure, milliseconds, peopleText } from "./times.ts";

const HIGHLIGHT_MS = 3000;

export class Tile {
  readonly canvas = el("canvas", { "aria-hidden": "true" });
  readonly caption = el("span", { class: "caption" });
  /** All of it: canvas, caption, what is wrong, and the last event. */
  readonly stage: HTMLElement;
  private readonly dot = el("span", { class: "dot" });
  private readonly name = el("span", { class: "name" });
  private readonly figures = el("span", { class: "figures number" });
  private readonly trouble = el("span", { class: "trouble", hidden: true });
  private readonly happening = el("span", { class: "happening", hidden: true });
  private readonly highlighted = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly observers: { disconnect(): void }[] = [];
  private happeningTimer: ReturnType<typeof setTimeout> | null = null;
  private readonly openedAt = Date.now();
  private lastFrameAt = 0;
  private width = 0;
  private seen = false;
  private said = "";
  private aspect = "";

  constructor(
    private readonly wall: Wall,
    readonly camera: string,
  ) {
    this.caption.append(this.dot, this.name, this.figures);
    this.stage = el("span", { class: "stage" }, this.canvas, this.trouble, this.happening, this.caption);
    setText(this.name, camera);
    this.feed.painters.add(this.onFrame);
    const resized = new ResizeObserver(() => this.resize());
    resized.observe(this.canvas);
    const visible = new IntersectionObserver((entries) => {
      this.seen = entries.at(-1)!.isIntersecting;
      this.wish();
    });
    visible.observe(this.stage);
    this.observers.push(resized, visible);
    this.update();
  }

  end(): void {
    this.feed.painters.delete(this.onFrame);
    for (const observer of this.observers) observer.disconnect();
    for (const timer of this.highlighted.values()) clearTimeout(timer);
    if (this.happeningTimer !== null) clearTimeout(this.happeningTimer);
    this.wall.wishes.want(this.camera, 0);
  }

  /** Shows the state of the camera as it is now; called each second, too. */
  update(now = Date.now()): void {
    const info = this.wall.store.camera(this.camera);
    const condition = this.condition(info, now);
    const instead = condition !== null && condition.kind !== "note";
    this.stage.classList.toggle("dim", instead);
    this.dot.className = `dot ${stateKind(info)}`;
    setText(this.figures, figuresOf(info));
    const said = JSON.stringify(condition);
    if (said === this.said) return;
    this.said = said;
    this.trouble.hidden = condition === null;
    this.trouble.className = `trouble ${condition?.kind ?? ""}`;
    if (condition === null) return;
    const symbol =
      instead && icon(info?.state === "paused" ? "pause" : condition.kind === "bad" ? "off" : "camera", 24);
    const sentence = condition.sentence !== "" && el("span", null, condition.sentence);
    replace(this.trouble, symbol, el("b", null, condition.title), sentence);
  }

  /** In words, for those who do not see the picture. */
  get label(): string {
    const info = this.wall.store.camera(this.camera);
    if (info === null) return this.camera;
    const condition = this.condition(info, Date.now());
    if (condition !== null) return `${this.camera}: ${[condition.title, condition.sentence].filter(Boolean).join(". ")}`;
    return `${this.camera}: ${peopleText(info.people ?? 0)}, ${figure(info.fps_out)} frames a second, ${milliseconds(info.age_ms)} old`;
  }

  /** Lets an event stand out for a moment, with the place of its rule. */
  highlight(event: WallEvent): void {
    if (!isNotable(event)) return;
    const rule = ruleOf(event);
    if (rule !== null) {
      clearTimeout(this.highlighted.get(rule));
      this.highlighted.set(
        rule,
        setTimeout(() => this.highlighted.delete(rule) && this.repaint(), HIGHLIGHT_MS),
      );
    }
    const kind = gravity(event);
    setText(this.happening, eventWords(event));
    this.happening.className = `happening ${kind}`;
    this.happening.hidden = false;
    this.stage.dataset["event"] = kind;
    if (this.happeningTimer !== null) clearTimeout(this.happeningTimer);
    this.happeningTimer = setTimeout(() => {
      this.happening.hidden = true;
      delete this.stage.dataset["event"];
    }, HIGHLIGHT_MS);
    this.repaint();
  }

  repaint(): void {
    if (this.feed.shown) this.draw(this.feed.shown);
  }

  private get feed() {
    return this.wall.feeds.of(this.camera);
  }

  private readonly onFrame = (frame: ShownFrame): void => {
    this.lastFrameAt = Date.now();
    this.takeAspect(frame.header.size);
    this.draw(frame);
    if (this.said !== "null") this.update();
  };

  /** The large view gives the stage the shape of the picture. */
  private takeAspect([width, height]: [number, number]): void {
    const aspect = `${width / height}`;
    if (this.aspect === aspect) return;
    this.aspect = aspect;
    this.stage.style.setProperty("--aspect", aspect);
  }

  private draw(frame: ShownFrame): void {
    const { store } = this.wall;
    const scene = { frame, traces: this.feed.traces, rules: store.camera(this.camera)?.rules ?? [] };
    paint(this.canvas, {
      ...scene,
      pictures: store.pictures,
      highlighted: new Set(this.highlighted.keys()),
      names: this.width > 320,
      ratio: window.devicePixelRatio || 1,
    });
  }

  private resize(): void {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    this.width = width;
    this.stage.classList.toggle("small", width < 260);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.repaint();
    this.wish();
  }

  private wish(): void {
    this.wall.wishes.want(this.camera, this.seen ? this.width : 0);
  }

  private condition(info: CameraInfo | null, now: number): Condition | null {
    const { store } = this.wall;
    if (store.cameras === null) return null;
    const watched = {
      silentMs: this.lastFrameAt === 0 ? null : now - this.lastFrameAt,
      openMs: now - this.openedAt,
      broken: (this.feed.shown?.broken ?? false) && store.pictures,
      offlineSince: store.offlineSince.get(this.camera),
      connected: store.connection === "open",
    };
    return conditionOf(info, watched, now);
  }
}
