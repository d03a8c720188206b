// The picture that people draw on, with mouse, finger or keyboard.

import { el } from "../ui/dom.ts";
import { type Point, boundedMove, distance, midpoint, snapped } from "./geometry.ts";
import { type Hit, hitAt, nextPoint } from "./hits.ts";
import {
  type Drawing,
  type ShapeId,
  hasFreePoints,
  pixelsOf,
  withPointAdded,
  withPointAt,
  withShapeMoved,
} from "./model.ts";
import { paint } from "./paint.ts";
import { type Session, describePoint } from "./session.ts";

const MOUSE_REACH_PX = 10;
const FINGER_REACH_PX = 24;
const SNAP_PX = 8;

interface Drag {
  hit: Hit;
  from: Point;
  before: Drawing;
}

const HELP =
  "Tab goes through the points, arrow keys move the selected one by a pixel, with Shift by ten. Insert adds a point, " +
  "Delete removes one. While drawing, arrow keys move the cross, Space sets a point, Enter finishes, Escape cancels.";

export class Stage {
  readonly canvas = el("canvas", {
    class: "edit-canvas",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "drawing",
    "aria-label": "Shapes on the picture",
    "aria-describedby": "edit-help",
  });
  readonly node = el("div", { class: "edit-stage" }, this.canvas, el("p", { id: "edit-help", class: "unseen" }, HELP));
  private picture: CanvasImageSource | null = null;
  private drag: Drag | null = null;
  private queued = false;
  private readonly session: Session;
  private readonly say: (sentence: string) => void;
  private readonly watcher: ResizeObserver | null;

  constructor(session: Session, say: (sentence: string) => void) {
    this.session = session;
    this.say = say;
    this.canvas.addEventListener("pointerdown", (event) => this.pressed(event));
    this.canvas.addEventListener("pointermove", (event) => this.moved(event));
    this.canvas.addEventListener("pointerup", () => this.released());
    this.canvas.addEventListener("pointercancel", () => this.released());
    this.canvas.addEventListener("dblclick", () => this.session.tool !== null && this.session.finish());
    this.canvas.addEventListener("keydown", (event) => this.keyed(event));
    session.onChange(() => this.repaint());
    this.watcher = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(() => this.repaint());
    this.watcher?.observe(this.node);
  }

  show(picture: CanvasImageSource): void {
    this.picture = picture;
    this.repaint();
  }

  end(): void {
    this.watcher?.disconnect();
  }

  repaint(): void {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.paintNow();
    });
  }

  private paintNow(): void {
    const context = this.canvas.getContext("2d");
    const width = this.node.clientWidth;
    if (context === null || width === 0) return;
    const [w, h] = this.session.size;
    // The whole picture is seen at once, also on a phone held upright.
    const scale = Math.min(width / w, (window.innerHeight * 0.72) / h);
    const [shownWidth, shownHeight] = [Math.round(w * scale), Math.round(h * scale)];
    const ratio = window.devicePixelRatio || 1;
    const wanted: [number, number] = [Math.round(shownWidth * ratio), Math.round(shownHeight * ratio)];
    if (this.canvas.width !== wanted[0] || this.canvas.height !== wanted[1]) {
      [this.canvas.width, this.canvas.height] = wanted;
      this.canvas.style.width = `${shownWidth}px`;
      this.canvas.style.height = `${shownHeight}px`;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint({ context, width: shownWidth, height: shownHeight }, this.session, this.picture);
  }

  /** How many pixels of the source one CSS pixel is. */
  private get perPixel(): number {
    return this.session.size[0] / (this.canvas.clientWidth || this.session.size[0]);
  }

  private placeOf(event: PointerEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    const [w, h] = this.session.size;
    return [((event.clientX - box.left) / box.width) * w, ((event.clientY - box.top) / box.height) * h];
  }

  private reach(event: PointerEvent): number {
    return (event.pointerType === "touch" ? FINGER_REACH_PX : MOUSE_REACH_PX) * this.perPixel;
  }

  private pressed(event: PointerEvent): void {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    this.canvas.focus();
    const { session } = this;
    const place = this.placeOf(event);
    if (session.tool !== null) {
      const first = session.sketch[0];
      session.cursor = place;
      if (first !== undefined && session.canFinish && distance(first, place) <= this.reach(event)) session.finish();
      else session.addPoint(place, SNAP_PX * this.perPixel);
      return;
    }
    const hit = hitAt(session.drawing, place, session.size, this.reach(event), session.selection?.id ?? null);
    if (hit === null) {
      session.select(null);
      return;
    }
    this.drag = { hit, from: place, before: session.drawing };
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already.
    }
    session.select(hit.id, hit.kind === "point" ? hit.at : null);
  }

  private moved(event: PointerEvent): void {
    const { session, drag } = this;
    const place = this.placeOf(event);
    if (session.tool !== null) {
      session.cursor = snapped(place, session.size, SNAP_PX * this.perPixel);
      this.repaint();
      return;
    }
    if (drag === null) return;
    const snap = SNAP_PX * this.perPixel;
    if (drag.hit.kind === "inside") {
      const by: Point = [place[0] - drag.from[0], place[1] - drag.from[1]];
      const points = pixelsOf(drag.before, drag.hit.id, session.size);
      session.history.now = withShapeMoved(drag.before, drag.hit.id, boundedMove(points, by, session.size), session.size);
    } else if (drag.hit.kind === "point") {
      const at = snapped(place, session.size, snap);
      session.history.now = withPointAt(drag.before, drag.hit.id, drag.hit.at, at, session.size);
    } else if (distance(place, drag.from) > 3 * this.perPixel) {
      // Pulling at an edge makes a new point there.
      const added = withPointAdded(drag.before, drag.hit.id, drag.hit.at, place, session.size);
      session.history.now = added;
      session.selection = { id: drag.hit.id, at: drag.hit.at + 1 };
    }
    session.tell();
  }

  private released(): void {
    const { session, drag } = this;
    this.drag = null;
    if (drag === null) return;
    // The whole way of a drag is one step to undo.
    const after = session.history.now;
    session.history.now = drag.before;
    session.change(after);
  }

  private keyed(event: KeyboardEvent): void {
    const step = event.shiftKey ? 10 : 1;
    const arrows: Record<string, Point> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    const { session } = this;
    const by = arrows[event.key];
    let handled = true;
    if (by !== undefined) this.arrow(by);
    else if (event.key === "Tab") handled = session.tool === null && this.tab(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && (session.tool !== null || session.selection !== null)) session.cancel();
    else if (event.key === "Enter" && session.tool !== null) this.enter();
    else if ((event.key === " " || event.key === "Insert") && session.tool !== null) this.setPoint();
    else if (event.key === "Insert") this.insert();
    else if (event.key === "Backspace" && session.tool !== null) session.undo();
    else if (event.key === "Delete" || event.key === "Backspace") this.say(session.deleteSelected());
    else handled = false;
    if (handled) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private arrow(by: Point): void {
    const { session } = this;
    const [w, h] = session.size;
    const shifted = (point: Point): Point => [
      Math.min(w, Math.max(0, point[0] + by[0])),
      Math.min(h, Math.max(0, point[1] + by[1])),
    ];
    if (session.tool !== null) {
      session.cursor = shifted(session.cursor ?? [w / 2, h / 2]);
      this.say(`${Math.round(session.cursor[0])}, ${Math.round(session.cursor[1])}`);
      this.repaint();
      return;
    }
    if (session.selection === null) return;
    const { id, at } = session.selection;
    const points = pixelsOf(session.drawing, id, session.size);
    if (at === null) session.change(withShapeMoved(session.drawing, id, boundedMove(points, by, session.size), session.size));
    else session.change(withPointAt(session.drawing, id, at, shifted(points[at]!), session.size));
    if (session.selection !== null) this.say(describePoint(session, session.selection));
  }

  /** Goes to the next point; false beyond the last one, where the page goes on. */
  private tab(step: 1 | -1): boolean {
    const { session } = this;
    const { selection } = session;
    const from = selection === null ? null : { id: selection.id, at: selection.at ?? (step === 1 ? -1 : 0) };
    const next = nextOf(session, from, step);
    session.select(next?.id ?? null, next?.at ?? null);
    if (next === null) return false;
    this.say(describePoint(session, next));
    return true;
  }

  private enter(): void {
    const { session } = this;
    if (session.canFinish) {
      session.finish();
      this.say("Finished.");
    } else this.say(`${session.missing} more points are needed.`);
  }

  private setPoint(): void {
    const { session } = this;
    const [w, h] = session.size;
    session.addPoint(session.cursor ?? [w / 2, h / 2], 0);
    this.say(session.tool === null ? "Finished." : `Point ${session.sketch.length} is set.`);
  }

  private insert(): void {
    const { session } = this;
    if (session.selection === null || !hasFreePoints(session.drawing, session.selection.id)) return;
    const { id } = session.selection;
    const at = session.selection.at ?? 0;
    const points = pixelsOf(session.drawing, id, session.size);
    const middle = midpoint(points[at]!, points[(at + 1) % points.length]!);
    session.selection = { id, at: at + 1 };
    session.change(withPointAdded(session.drawing, id, at, middle, session.size));
    this.say(describePoint(session, session.selection));
  }
}

function nextOf(session: Session, from: { id: ShapeId; at: number } | null, step: 1 | -1): { id: ShapeId; at: number } | null {
  if (from !== null && from.at < 0) return { id: from.id, at: 0 };
  return nextPoint(session.drawing, from, step);
}
