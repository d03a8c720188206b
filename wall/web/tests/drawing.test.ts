import { expect, test } from "vitest";
import { rgbOf } from "../src/drawing/colors.ts";
import { contain, inSourcePixels, onCanvas, sidesOf } from "../src/drawing/fit.ts";
import { gridLines, gridStep, onPlan, planPlace, scaleBar } from "../src/drawing/plan.ts";
import { feetOf, inDrawingOrder, MIN_CONFIDENCE, skeletonOf } from "../src/drawing/skeleton.ts";
import { Traces } from "../src/drawing/traces.ts";
import type { Track } from "../src/protocol.ts";
import { cropOf } from "../src/views/people.ts";

function track(changes: Partial<Track> = {}): Track {
  return { id: 1, state: "confirmed", box: [0, 0, 40, 100], keypoints: null, action: null, floor: null, ...changes };
}

function luminance(rgb: readonly number[]): number {
  const [r, g, b] = rgb.map((part) =>
    part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

test("the colours are those of the annotated videos", () => {
  // From color_of of recordings/results/draw.py, which gives blue, green, red.
  expect(rgbOf(0)).toEqual([255, 147, 138]);
  expect(rgbOf(1)).toEqual([13, 194, 135]);
  expect(rgbOf(12345)).toEqual([70, 220, 157]);
});

test("dark numbers can be read on each colour (AA: 4.5 to 1), and neighbours are told apart", () => {
  const ink = luminance([0x12, 0x14, 0x1a]);
  for (let id = 0; id < 400; id++) {
    expect((luminance(rgbOf(id)) + 0.05) / (ink + 0.05)).toBeGreaterThan(4.5);
    const [here, next] = [rgbOf(id), rgbOf(id + 1)];
    expect(Math.hypot(...here.map((part, index) => part - next[index]!))).toBeGreaterThan(60);
  }
});

test("only joints that the network is sure of are drawn, and limbs between two of them", () => {
  const keypoints = Array.from({ length: 17 }, (_, index): [number, number, number] => [index, 10 * index, 0]);
  keypoints[5]![2] = keypoints[7]![2] = MIN_CONFIDENCE;
  keypoints[9]![2] = MIN_CONFIDENCE - 0.01;
  const { limbs, joints } = skeletonOf(keypoints);
  expect(joints.map((joint) => joint.at)).toEqual([
    [5, 50],
    [7, 70],
  ]);
  expect(limbs).toEqual([
    [
      [5, 50],
      [7, 70],
    ],
  ]);
  expect(skeletonOf(null)).toEqual({ limbs: [], joints: [] });
  const all = skeletonOf(keypoints.map(([x, y]) => [x, y, 1]));
  expect(all.limbs).toHaveLength(17);
  expect(all.limbs.at(-1)).toEqual([
    [5.5, 55],
    [0, 0],
  ]);
});

test("tentative and ended people are not drawn; the nearest come last, hidden ones first", () => {
  const tracks = [
    track({ id: 1, box: [0, 0, 1, 90] }),
    track({ id: 2, state: "lost", box: [0, 0, 1, 99] }),
    track({ id: 3, box: [0, 0, 1, 50] }),
    track({ id: 4, state: "tentative" }),
    track({ id: 5, state: "ended" }),
  ];
  expect(inDrawingOrder(tracks).map(({ id }) => id)).toEqual([2, 3, 1]);
});

test("a frame lies in the middle of its canvas, and points with it", () => {
  const place = contain([200, 100], [400, 400]);
  expect(place).toEqual({ left: 0, top: 100, width: 400, height: 200, scale: 2 });
  expect(onCanvas(place, [50, 25])).toEqual([100, 150]);
});

test("points of rules are pixels, or shares of the picture if none is over 1", () => {
  expect(
    inSourcePixels(
      [
        [0.5, 1],
        [0, 0.25],
      ],
      [640, 480],
    ),
  ).toEqual([
    [320, 480],
    [0, 120],
  ]);
  expect(
    inSourcePixels(
      [
        [0.5, 1],
        [2, 0.25],
      ],
      [640, 480],
    ),
  ).toEqual([
    [0.5, 1],
    [2, 0.25],
  ]);
});

test("over a line from left to right, walking down the picture is from a to b", () => {
  const { a, b, towardsB } = sidesOf([100, 300], [500, 300], 10);
  expect(a).toEqual([300, 290]);
  expect(b).toEqual([300, 310]);
  expect(towardsB[1]).toBe(1);
});

test("traces keep the last seconds, begin anew with an epoch, and tell speeds", () => {
  const traces = new Traces();
  for (let step = 0; step <= 60; step++)
    traces.add(1, step * 100, [track({ box: [step * 10, 0, step * 10 + 40, 100], floor: [step * 0.15, 0] })]);
  expect(traces.of(1)[0]!.at).toBe(1000);
  expect(traces.of(1)).toHaveLength(51);
  expect(traces.speed(1)!.value).toBeCloseTo(1.5);
  expect(traces.speed(1)!.unit).toBe("m/s");
  traces.add(2, 7000, [track()]);
  expect(traces.of(1)).toHaveLength(1);
  expect(traces.speed(1)).toBeNull();
  for (let step = 1; step <= 10; step++)
    traces.add(2, 7000 + step * 100, [track({ box: [step * 5, 0, step * 5 + 40, 100] })]);
  expect(traces.speed(1)!.value).toBeCloseTo(0.5);
  expect(traces.speed(1)!.unit).toBe("body heights/s");
});

test("somebody who is gone leaves no trace", () => {
  const traces = new Traces();
  traces.add(1, 0, [track({ id: 7 })]);
  traces.add(1, 5001, []);
  expect(traces.of(7)).toHaveLength(0);
  expect(feetOf([10, 20, 30, 80])).toEqual([20, 80]);
});

test("the floor plan keeps its scale in both directions, y away from the viewer", () => {
  const place = planPlace([0, 0, 10, 10], 656, 656);
  expect(place.scale).toBeCloseTo(50);
  expect(onPlan(place, [0, 0])).toEqual([28 + 50, 628 - 50]);
  expect(onPlan(place, [10, 10])).toEqual([78 + 500, 578 - 500]);
  expect(scaleBar(place, 656)).toBe(2);
  expect(gridStep(place)).toBe(0.5);
  expect(gridLines(-0.9, 1.1, 0.5)).toEqual([-0.5, 0, 0.5, 1]);
});

test("a thumbnail has the person in its middle, all of them", () => {
  expect(cropOf([100, 50, 140, 150], 0.75, [640, 480])).toEqual({ left: 75, top: 40, width: 90, height: 120 });
  const wide = cropOf([0, 0, 300, 50], 0.75, [640, 480]);
  expect(wide.width).toBe(360);
  expect(wide.height).toBe(480);
  expect(cropOf([600, 380, 640, 480], 0.75, [640, 480])).toEqual({ left: 550, top: 360, width: 90, height: 120 });
});
