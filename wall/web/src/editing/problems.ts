// What is wrong with a drawing, as far as the page can tell at once; the wall checks everything else. Pure.

import { crossing, turn } from "./geometry.ts";
import { type Drawing, GROUND_POINTS, type ShapeId, pointsOf } from "./model.ts";

/** What is wrong and where: `rules.NAME.FIELD`, `ground.points`, or nothing for all of it. */
export interface Problem {
  path: string;
  sentence: string;
}

export function pathOf(drawing: Drawing, id: ShapeId): string {
  return id === "ground" ? "ground" : `rules.${drawing.rules[id]?.name ?? ""}`;
}

/** Problems of shapes, which are shown while a point is being moved. */
export function shapeProblems(drawing: Drawing): Problem[] {
  const found: Problem[] = [];
  drawing.rules.forEach((rule, index) => {
    const path = `${pathOf(drawing, index)}.points`;
    const add = (sentence: string): unknown => found.push({ path, sentence });
    if (rule.points === null) return;
    if (rule.shape === "line") {
      const [first, second] = rule.points;
      if (first && second && first[0] === second[0] && first[1] === second[1]) add("Its two ends are the same point.");
      return;
    }
    if (rule.points.length < 3) add("A zone needs at least three points.");
    else if (hasTwice(rule.points)) add("A point is there twice: move or delete one of them.");
    else if (crossing(rule.points) !== null) add("Its sides cross each other: move a point so that they do not.");
    else if (isFlat(rule.points)) add("Its points are on one line, so it holds nothing.");
  });
  const ground = pointsOf(drawing, "ground");
  if (drawing.ground !== null) {
    if (ground.length !== GROUND_POINTS || hasTwice(ground)) {
      found.push({ path: "ground.points", sentence: "The ground needs four different points." });
    } else if (crossing(ground) !== null) {
      found.push({ path: "ground.points", sentence: "Set the ground points in the order in which you walk around." });
    }
  }
  return found;
}

/** The problems of one shape or of one of its fields. */
export function problemsAt(problems: readonly Problem[], path: string): Problem[] {
  return problems.filter((problem) => problem.path === path || problem.path.startsWith(`${path}.`));
}

function hasTwice(points: readonly (readonly [number, number])[]): boolean {
  return new Set(points.map(([x, y]) => `${x} ${y}`)).size < points.length;
}

function isFlat(points: readonly (readonly [number, number])[]): boolean {
  const count = points.length;
  return points.every((point, index) => Math.abs(turn(points[(index + count - 2) % count]!, points[(index + count - 1) % count]!, point)) < 1e-9);
}
