// Points, edges and distances on a picture. Pure. All lengths are in one unit, whichever the caller uses.

export type Point = readonly [number, number];
export type Size = readonly [number, number];

export function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

export function midpoint(a: Point, b: Point): Point {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** The distance of `point` from the straight way between `a` and `b`. */
export function edgeDistance(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length2 = dx * dx + dy * dy;
  const along = length2 === 0 ? 0 : ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length2;
  const t = Math.min(1, Math.max(0, along));
  return distance(point, [a[0] + t * dx, a[1] + t * dy]);
}

/** Whether `point` is inside of a polygon, by how many of its sides are to the right (even-odd rule). */
export function isInside(point: Point, polygon: readonly Point[]): boolean {
  let inside = false;
  polygon.forEach((a, index) => {
    const b = polygon[(index + 1) % polygon.length]!;
    const spans = a[1] > point[1] !== b[1] > point[1];
    if (spans && point[0] < ((b[0] - a[0]) * (point[1] - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside;
  });
  return inside;
}

/** Twice the area of a triangle; its sign is the side of the way from `a` to `b` on which `c` lies. */
export function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

function isBetween(point: Point, a: Point, b: Point): boolean {
  return (
    Math.min(a[0], b[0]) <= point[0] &&
    point[0] <= Math.max(a[0], b[0]) &&
    Math.min(a[1], b[1]) <= point[1] &&
    point[1] <= Math.max(a[1], b[1])
  );
}

/** Whether the ways from `a` to `b` and from `c` to `d` have a point in common. */
export function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  const [first, second] = [turn(a, b, c), turn(a, b, d)];
  const [third, fourth] = [turn(c, d, a), turn(c, d, b)];
  if (first * second < 0 && third * fourth < 0) return true;
  return (
    (first === 0 && isBetween(c, a, b)) ||
    (second === 0 && isBetween(d, a, b)) ||
    (third === 0 && isBetween(a, c, d)) ||
    (fourth === 0 && isBetween(b, c, d))
  );
}

/** The first two sides of a polygon that cross, by the numbers of their first points; null if none do. */
export function crossing(polygon: readonly Point[]): [number, number] | null {
  const count = polygon.length;
  for (let one = 0; one < count; one++) {
    for (let other = one + 1; other < count; other++) {
      const areNeighbours = other - one === 1 || other - one === count - 1;
      if (areNeighbours) continue;
      const [a, b] = [polygon[one]!, polygon[(one + 1) % count]!];
      const [c, d] = [polygon[other]!, polygon[(other + 1) % count]!];
      if (meet(a, b, c, d)) return [one, other];
    }
  }
  return null;
}

/** `point` within the picture, and on its border if it is nearer to that than `reach`. */
export function snapped(point: Point, size: Size, reach: number): Point {
  const along = (value: number, most: number): number => {
    if (value < reach) return 0;
    return value > most - reach ? most : value;
  };
  return [along(point[0], size[0]), along(point[1], size[1])];
}

/** How far a whole shape may be moved, so that all of it stays in the picture. */
export function boundedMove(points: readonly Point[], by: Point, size: Size): Point {
  const along = (axis: 0 | 1): number => {
    const values = points.map((point) => point[axis]);
    const least = -Math.min(...values);
    const most = size[axis] - Math.max(...values);
    // A zero without a sign, as -0 is no coordinate.
    return Math.min(Math.max(by[axis], least), Math.max(least, most)) + 0;
  };
  return [along(0), along(1)];
}
