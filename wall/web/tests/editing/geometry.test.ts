import { expect, test } from "vitest";
import { boundedMove, crossing, edgeDistance, isInside, meet, snapped } from "../../src/editing/geometry.ts";

const SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]] as const;

test("the distance from an edge is that from its nearest point", () => {
  expect(edgeDistance([5, 3], [0, 0], [10, 0])).toBe(3);
  expect(edgeDistance([13, 4], [0, 0], [10, 0])).toBe(5);
  expect(edgeDistance([3, 4], [0, 0], [0, 0])).toBe(5);
});

test("what is inside of a polygon is inside, also of one with a bay", () => {
  expect(isInside([5, 5], SQUARE)).toBe(true);
  expect(isInside([15, 5], SQUARE)).toBe(false);
  const bay = [[0, 0], [10, 0], [10, 10], [5, 5], [0, 10]] as const;
  expect(isInside([5, 8], bay)).toBe(false);
  expect(isInside([1, 8], bay)).toBe(true);
});

test("sides that cross or touch are found, neighbours do not count", () => {
  expect(crossing(SQUARE)).toBeNull();
  expect(crossing([[0, 0], [10, 10], [10, 0], [0, 10]])).toEqual([0, 2]);
  expect(crossing([[0, 0], [10, 0], [5, 0], [5, 5]])).not.toBeNull();
  expect(meet([0, 0], [4, 4], [0, 4], [4, 0])).toBe(true);
  expect(meet([0, 0], [4, 0], [5, 0], [9, 0])).toBe(false);
});

test("points near the border lie on it, and none lies outside", () => {
  expect(snapped([3, 50], [100, 60], 5)).toEqual([0, 50]);
  expect(snapped([97, 58], [100, 60], 5)).toEqual([100, 60]);
  expect(snapped([-40, 900], [100, 60], 0)).toEqual([0, 60]);
});

test("a shape is moved only as far as all of it stays in the picture", () => {
  expect(boundedMove(SQUARE, [-5, 3], [100, 60])).toEqual([0, 3]);
  expect(boundedMove(SQUARE, [500, 500], [100, 60])).toEqual([90, 50]);
});
