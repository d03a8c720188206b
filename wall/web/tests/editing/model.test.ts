import { expect, test } from "vitest";
import { hitAt, nextPoint } from "../../src/editing/hits.ts";
import { KINDS, kindsFor, parsed } from "../../src/editing/kinds.ts";
import {
  type Drawing,
  History,
  freeName,
  pixelsOf,
  withNewRule,
  withPointAdded,
  withPointAt,
  withSetting,
  withShapeMoved,
  withoutPoint,
} from "../../src/editing/model.ts";
import { shapeProblems } from "../../src/editing/problems.ts";
import { Session } from "../../src/editing/session.ts";
import { asYaml } from "../../src/editing/yaml.ts";

const SIZE = [200, 100] as const;
const DRAWING: Drawing = {
  rules: [
    { name: "zone", kind: "zone", shape: "polygon", points: [[10, 10], [60, 10], [60, 60], [10, 60]], settings: {} },
    { name: "door", kind: "line", shape: "line", points: [[0.5, 0.1], [0.5, 0.9]], settings: { settle_s: 0.5 } },
    { name: "fall", kind: "fall", shape: "polygon", points: null, settings: {} },
  ],
  ground: null,
};

test("parts of the picture stay parts, pixels stay pixels, and other points keep every digit", () => {
  expect(pixelsOf(DRAWING, 1, SIZE)).toEqual([[100, 10], [100, 90]]);
  expect(withPointAt(DRAWING, 1, 0, [50, 25], SIZE).rules[1]!.points).toEqual([[0.25, 0.25], [0.5, 0.9]]);
  expect(withPointAt(DRAWING, 0, 2, [70.4, 60], SIZE).rules[0]!.points).toEqual([[10, 10], [60, 10], [70, 60], [10, 60]]);
  expect(withShapeMoved(DRAWING, 1, [20, 0], SIZE).rules[1]!.points).toEqual([[0.6, 0.1], [0.6, 0.9]]);
});

test("points are added to areas and taken away down to three, never of lines", () => {
  const added = withPointAdded(DRAWING, 0, 1, [80, 30], SIZE);
  expect(added.rules[0]!.points).toEqual([[10, 10], [60, 10], [80, 30], [60, 60], [10, 60]]);
  expect(withPointAdded(DRAWING, 1, 0, [1, 1], SIZE)).toBe(DRAWING);
  const three = withoutPoint(DRAWING, 0, 3);
  expect(three.rules[0]!.points).toHaveLength(3);
  expect(withoutPoint(three, 0, 0)).toBe(three);
});

test("undo and redo go through every change, and a new one ends what could be redone", () => {
  const history = new History(DRAWING);
  const first = withSetting(DRAWING, 0, "dwell_s", 5);
  history.change(first);
  history.change(withSetting(first, 0, "dwell_s", 9));
  history.change(history.now);
  history.undo();
  expect(history.now).toEqual(first);
  history.undo();
  expect(history.now).toBe(DRAWING);
  history.undo();
  history.redo();
  expect(history.now).toEqual(first);
  history.change(withSetting(first, 0, "dwell_s", undefined));
  expect([history.canRedo, history.now.rules[0]!.settings]).toEqual([false, {}]);
});

test("a point comes before an edge, and an edge before the inside", () => {
  const at = (x: number, y: number): unknown => hitAt(DRAWING, [x, y], SIZE, 6, null);
  expect(at(58, 12)).toEqual({ kind: "point", id: 0, at: 1 });
  expect(at(35, 12)).toEqual({ kind: "edge", id: 0, at: 0 });
  expect(at(35, 35)).toEqual({ kind: "inside", id: 0 });
  expect(at(102, 50)).toEqual({ kind: "inside", id: 1 });
  expect(at(150, 50)).toBeNull();
});

test("Tab goes through all points and then leaves", () => {
  expect(nextPoint(DRAWING, null, 1)).toEqual({ id: 0, at: 0 });
  expect(nextPoint(DRAWING, { id: 0, at: 3 }, 1)).toEqual({ id: 1, at: 0 });
  expect(nextPoint(DRAWING, { id: 1, at: 1 }, 1)).toBeNull();
  expect(nextPoint(DRAWING, { id: 0, at: 0 }, -1)).toBeNull();
  expect(nextPoint(DRAWING, null, -1)).toEqual({ id: 1, at: 1 });
});

test("what is wrong with a shape is said at once", () => {
  expect(shapeProblems(DRAWING)).toEqual([]);
  const crossed = withPointAt(DRAWING, 0, 0, [80, 40], SIZE);
  expect(shapeProblems(crossed).map((one) => one.path)).toEqual(["rules.zone.points"]);
  expect(shapeProblems(crossed)[0]!.sentence).toContain("cross");
});

test("drawing a zone: points, finish, and undo takes it away again", () => {
  const session = new Session(DRAWING, "r1", SIZE);
  session.begin("zone");
  session.addPoint([20, 20], 4);
  session.addPoint([90, 20], 4);
  session.finish();
  expect([session.tool, session.missing]).toEqual(["zone", 1]);
  session.addPoint([90, 98], 4);
  session.finish();
  expect(session.drawing.rules[3]).toEqual({ name: "zone-2", kind: "zone", shape: "polygon", points: [[20, 20], [90, 20], [90, 100]], settings: {} });
  expect([session.tool, session.selection, session.isChanged]).toEqual([null, { id: 3, at: null }, true]);
  session.undo();
  expect([session.drawing, session.selection, session.isChanged]).toEqual([DRAWING, null, false]);
});

test("a line ends with its second point, and Escape leaves nothing of a sketch", () => {
  const session = new Session(DRAWING, "r1", SIZE);
  session.begin("line");
  session.addPoint([20, 20], 0);
  session.addPoint([90, 20], 0);
  expect(session.drawing.rules[3]!.kind).toBe("line");
  session.begin("ground");
  session.addPoint([20, 20], 0);
  session.cancel();
  expect([session.tool, session.drawing.ground]).toEqual([null, null]);
});

test("somebody else's drawing is taken, and undo brings the own one back", () => {
  const session = new Session(DRAWING, "r1", SIZE);
  const mine = withNewRule(DRAWING, "zone", [[1, 1], [9, 1], [9, 9]]);
  session.change(mine);
  const theirs: Drawing = { rules: [], ground: null };
  session.rebase(theirs, "r2", theirs);
  expect([session.drawing, session.isChanged, session.revision]).toEqual([theirs, false, "r2"]);
  session.undo();
  expect([session.drawing, session.isChanged]).toEqual([mine, true]);
});

test("what was typed becomes the value of a setting, and what is no number stays for the wall to refuse", () => {
  const [dwell, most] = KINDS[0]!.settings;
  expect([parsed(dwell!, " 2,5 "), parsed(most!, "3"), parsed(dwell!, ""), parsed(dwell!, "soon")]).toEqual([2.5, 3, undefined, "soon"]);
  const labels = KINDS.find((kind) => kind.name === "action")!.settings[0]!;
  expect(parsed(labels, "Fallen, Running,")).toEqual(["Fallen", "Running"]);
});

test("a line stays a line, an area becomes another area, and rules of other packages stay what they are", () => {
  expect(kindsFor("line", "line").map((kind) => kind.name)).toEqual(["line"]);
  expect(kindsFor("polygon", "zone").map((kind) => kind.name)).not.toContain("line");
  expect(kindsFor("polygon", "lying_down").map((kind) => kind.name)).toEqual(["lying_down"]);
});

test("names are new, and the drawing can be copied without the wall", () => {
  expect(freeName(DRAWING, "zone")).toBe("zone-2");
  expect(freeName(DRAWING, "crowd")).toBe("crowd");
  expect(asYaml("hall", DRAWING)).toContain('      "door": {"kind":"line","points":[[0.5,0.1],[0.5,0.9]],"settle_s":0.5}');
});
