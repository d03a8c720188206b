import { expect, test } from "vitest";
import { commonAspect, MIN_WIDTH, neighbour, PHONE_WIDTH, tiling } from "../src/drawing/tiling.ts";

test("the best number of columns by hand: 16 tiles of 16:9 in a 16:9 window are 4 by 4", () => {
  expect(tiling(16, 1600, 900, 0)).toEqual({ columns: 4, width: 400, height: 225 });
  expect(tiling(1, 1600, 900, 0)).toEqual({ columns: 1, width: 1600, height: 900 });
  expect(tiling(2, 1700, 900, 0).columns).toBe(2);
  expect(tiling(2, 900, 1700, 0).columns).toBe(1);
});

test.each([1, 2, 3, 5, 7, 12, 16, 25, 40, 64])(
  "%i tiles fit a screen, and no other number of columns is larger",
  (count) => {
    const [width, height, gap] = [1903, 969, 8];
    const best = tiling(count, width, height, gap);
    const rows = Math.ceil(count / best.columns);
    expect(best.columns * best.width + gap * (best.columns - 1)).toBeLessThanOrEqual(width);
    expect(rows * best.height + gap * (rows - 1)).toBeLessThanOrEqual(height);
    for (let columns = 1; columns <= count; columns++) {
      const others = Math.ceil(count / columns);
      const room = Math.min(
        (width - gap * (columns - 1)) / columns,
        ((height - gap * (others - 1)) / others) * (16 / 9),
      );
      expect(best.width).toBeGreaterThanOrEqual(Math.floor(room));
    }
  },
);

test("tiles that would be too small scroll instead, and a phone has them as wide as itself", () => {
  expect(tiling(64, 700, 300, 8).width).toBeGreaterThanOrEqual(MIN_WIDTH);
  expect(tiling(4, 359, 600, 8)).toMatchObject({ columns: 1, width: 359 });
  expect(tiling(20, PHONE_WIDTH - 1, 600, 8).columns).toBe(2);
});

test("no cameras and no window are no error", () => {
  expect(tiling(0, 1600, 900, 8).columns).toBe(1);
  expect(tiling(4, 0, 0, 8).columns).toBe(1);
});

test("the common aspect is the median, within bounds", () => {
  expect(commonAspect([])).toBeCloseTo(16 / 9);
  expect(
    commonAspect([
      [640, 480],
      [640, 480],
      [1920, 1080],
    ]),
  ).toBeCloseTo(4 / 3);
  expect(commonAspect([[100, 1000]])).toBe(1);
});

test("arrows go to the neighbour and stop at the edges", () => {
  expect(neighbour(0, "ArrowRight", 5, 2)).toBe(1);
  expect(neighbour(1, "ArrowDown", 5, 2)).toBe(3);
  expect(neighbour(4, "ArrowDown", 5, 2)).toBe(4);
  expect(neighbour(0, "ArrowUp", 5, 2)).toBe(0);
  expect(neighbour(3, "Home", 5, 2)).toBe(0);
  expect(neighbour(3, "End", 5, 2)).toBe(4);
});
