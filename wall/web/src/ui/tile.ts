// One camera on the screen: its frame with what belongs to it, and in words what is the matter if there is none.

import type { CameraInfo, WallEvent } from "../protocol.ts";
import type { Wall } from "../wall.ts";
import { paint } from "../drawing/paint.ts";
import { eventWords, gravity, isNotable, ruleOf } from "../live/event_words.ts";
import type { ShownFrame } from "../live/feeds.ts";
import { el, replace, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { figure, milliseconds, peopleText, since } from "./times.ts";

const HIGHLIGHT_MS = 3000;
const STALE_MS = 5000;

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
    const problem = this.problem(info, now);
    this.stage.classList.toggle("dim", problem !== null && problem.grave);
    this.dot.className = `dot ${info?.state === "online" ? (info.trouble ? "warn" : "good") : "bad"}`;
    setText(
      this.figures,
      info?.state === "online" ? `${peopleText(info.people ?? 0)} · ${figure(info.fps_out)} fps` : "",
    );
    const said = problem === null ? "" : `${problem.title}\n${problem.sentence}`;
    if (said === this.said) return;
    this.said = said;
    this.trouble.hidden = problem === null;
    this.trouble.classList.toggle("grave", problem?.grave ?? false);
    if (problem === null) replace(this.trouble);
    else
      replace(
        this.trouble,
        problem.grave && icon(problem.icon, 24),
        el("b", null, problem.title),
        problem.sentence && el("span", null, problem.sentence),
      );
  }

  /** In words, for those who do not see the picture. */
  get label(): string {
    const info = this.wall.store.camera(this.camera);
    if (info === null) return this.camera;
    const problem = this.problem(info, Date.now());
    if (problem !== null) return `${this.camera}: ${problem.title}. ${problem.sentence}`.trim();
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
    if (this.said !== "") this.update();
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

  private problem(
    info: CameraInfo | null,
    now: number,
  ): { title: string; sentence: string; grave: boolean; icon: "off" | "pause" | "camera" } | null {
    const { store } = this.wall;
    if (store.cameras === null) return null;
    if (info === null)
      return {
        title: "This camera is gone",
        sentence: "It is not part of the deployment any more.",
        grave: true,
        icon: "off",
      };
    if (info.state !== "online") return this.notOnline(info, now);
    if (this.feed.shown?.broken && store.pictures)
      return {
        title: "The picture cannot be read",
        sentence: "What came is no JPEG. The skeletons are those of the frame.",
        grave: false,
        icon: "off",
      };
    if (this.lastFrameAt === 0)
      return { title: "Waiting for the first frame", sentence: info.trouble ?? "", grave: false, icon: "camera" };
    const silent = now - this.lastFrameAt;
    if (silent > STALE_MS && store.connection === "open")
      return {
        title: `No frame for ${Math.floor(silent / 1000)} s`,
        sentence: info.trouble ?? "",
        grave: false,
        icon: "off",
      };
    return info.trouble === null ? null : { title: info.trouble, sentence: "", grave: false, icon: "off" };
  }

  private notOnline(
    info: CameraInfo,
    now: number,
  ): { title: string; sentence: string; grave: boolean; icon: "off" | "pause" | "camera" } {
    const words: Record<string, string> = {
      connecting: "Connecting",
      offline: "Offline",
      standby: "On standby",
      ended: "The recording has ended",
      paused: "Paused",
      off: "Off by its schedule",
      "given up": "Given up",
    };
    const at = this.wall.store.offlineSince.get(this.camera);
    const when = at === undefined ? "" : ` since ${since(at, now)}`;
    const symbol = info.state === "paused" ? "pause" : info.state === "connecting" ? "camera" : "off";
    return {
      title: `${words[info.state] ?? info.state}${when}`,
      sentence: info.trouble ?? "",
      grave: true,
      icon: symbol,
    };
  }
}
