// One person's work on one camera's drawing: what is selected, what is being drawn, and who is told of changes. Pure.

import { type Point, type Size, snapped } from "./geometry.ts";
import {
  type Drawing,
  GROUND_POINTS,
  History,
  MOST_POINTS,
  type ShapeId,
  nameOf,
  pointsOf,
  same,
  withNewGround,
  withNewRule,
  withoutPoint,
  withoutShape,
} from "./model.ts";
import { type Problem, shapeProblems } from "./problems.ts";

export type Tool = "zone" | "line" | "ground";

export interface Selection {
  id: ShapeId;
  /** The number of a point; null for the whole shape. */
  at: number | null;
}

const NEEDED: Record<Tool, number> = { zone: 3, line: 2, ground: GROUND_POINTS };
const MOST: Record<Tool, number> = { zone: MOST_POINTS, line: 2, ground: GROUND_POINTS };

export class Session {
  readonly history: History;
  saved: Drawing;
  revision: string;
  selection: Selection | null = null;
  /** What is being drawn, with its points so far in pixels; null while shapes are edited. */
  tool: Tool | null = null;
  sketch: Point[] = [];
  /** Where the next point would be, in pixels. */
  cursor: Point | null = null;
  /** Problems that the wall found; those of shapes are found here. */
  checked: Problem[] = [];
  size: Size;
  private readonly listeners: (() => void)[] = [];

  constructor(drawing: Drawing, revision: string, size: Size) {
    this.history = new History(drawing);
    this.saved = drawing;
    this.revision = revision;
    this.size = size;
  }

  get drawing(): Drawing {
    return this.history.now;
  }

  get isChanged(): boolean {
    return !same(this.drawing, this.saved);
  }

  /** All problems; those that the page sees itself come first, and the wall's where it sees none. */
  get problems(): Problem[] {
    const own = shapeProblems(this.drawing);
    const known = new Set(own.map((problem) => problem.path));
    return [...own, ...this.checked.filter((problem) => !known.has(problem.path))];
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }

  change(drawing: Drawing): void {
    this.history.change(drawing);
    this.keepSelection();
    this.tell();
  }

  select(id: ShapeId | null, at: number | null = null): void {
    this.selection = id === null ? null : { id, at };
    this.tell();
  }

  undo(): void {
    if (this.tool !== null) this.sketch = this.sketch.slice(0, -1);
    else this.history.undo();
    this.keepSelection();
    this.tell();
  }

  redo(): void {
    this.history.redo();
    this.keepSelection();
    this.tell();
  }

  begin(tool: Tool): void {
    this.tool = tool;
    this.sketch = [];
    this.selection = null;
    this.cursor ??= [this.size[0] / 2, this.size[1] / 2];
    this.tell();
  }

  cancel(): void {
    if (this.tool === null) this.selection = null;
    this.tool = null;
    this.sketch = [];
    this.tell();
  }

  /** One more point of what is being drawn; the last possible one ends it. `reach` is how far the border attracts. */
  addPoint(px: Point, reach: number): void {
    if (this.tool === null) return;
    const [x, y] = snapped(px, this.size, reach);
    const point: Point = [Math.round(x), Math.round(y)];
    const last = this.sketch[this.sketch.length - 1];
    if (last !== undefined && last[0] === point[0] && last[1] === point[1]) return;
    this.sketch = [...this.sketch, point];
    if (this.sketch.length === MOST[this.tool]) this.finish();
    else this.tell();
  }

  get canFinish(): boolean {
    return this.tool !== null && this.sketch.length >= NEEDED[this.tool];
  }

  /** How many points are still needed before what is being drawn can be finished. */
  get missing(): number {
    return this.tool === null ? 0 : Math.max(0, NEEDED[this.tool] - this.sketch.length);
  }

  finish(): void {
    if (!this.canFinish || this.tool === null) return;
    const [tool, points] = [this.tool, this.sketch];
    this.tool = null;
    this.sketch = [];
    if (tool === "ground") {
      this.history.change(withNewGround(this.drawing, points));
      this.selection = { id: "ground", at: null };
    } else {
      this.history.change(withNewRule(this.drawing, tool, points));
      this.selection = { id: this.drawing.rules.length - 1, at: null };
    }
    this.tell();
  }

  /** Deletes the selected point, or the selected shape; returns a sentence about what happened. */
  deleteSelected(): string {
    const { selection, drawing } = this;
    if (selection === null) return "Nothing is selected.";
    if (selection.at === null) {
      const name = nameOf(drawing, selection.id);
      this.selection = null;
      this.change(withoutShape(drawing, selection.id));
      return `Deleted ${name}. Undo brings it back.`;
    }
    const less = withoutPoint(drawing, selection.id, selection.at);
    if (less === drawing) return "It needs all of its points. Delete the whole shape in the list.";
    this.selection = { id: selection.id, at: Math.min(selection.at, pointsOf(less, selection.id).length - 1) };
    this.change(less);
    return "Deleted the point.";
  }

  /** What is now on the wall is what the page knows; `mine` is gone on with where it is given. */
  rebase(theirs: Drawing, revision: string, goOnWith: Drawing): void {
    this.saved = theirs;
    this.revision = revision;
    this.change(goOnWith);
    this.tell();
  }

  private keepSelection(): void {
    const { selection } = this;
    if (selection === null) return;
    const isThere = selection.id === "ground" ? this.drawing.ground !== null : selection.id < this.drawing.rules.length;
    if (!isThere) this.selection = null;
    else if (selection.at !== null && selection.at >= pointsOf(this.drawing, selection.id).length) {
      this.selection = { id: selection.id, at: null };
    }
  }
}

export function describePoint(session: Session, selection: Selection): string {
  const points = pointsOf(session.drawing, selection.id);
  if (selection.at === null) return `${nameOf(session.drawing, selection.id)}, ${points.length} points`;
  const [x, y] = points[selection.at] ?? [0, 0];
  return `Point ${selection.at + 1} of ${points.length} of ${nameOf(session.drawing, selection.id)}: ${x}, ${y}`;
}

