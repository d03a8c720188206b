import { expect, test } from "vitest";
import { iou, letterbox, nextSize, peopleOf, planes } from "../../src/camera/network/decode.ts";

test("a frame is fitted to whole strides, its longest side at the size of the network", () => {
  expect(letterbox(640, 480, 320)).toEqual({ scale: [0.5, 0.5], inner: [320, 240], pad: [0, 8], input: [320, 256] });
  expect(letterbox(480, 640, 320)).toEqual({ scale: [0.5, 0.5], inner: [240, 320], pad: [8, 0], input: [256, 320] });
});

test("a size that gives an odd number of padded rows has the smaller part above, as in training", () => {
  const box = letterbox(640, 362, 320);
  expect(box.inner).toEqual([320, 181]);
  expect(box.pad).toEqual([0, 5]);
  expect(box.input).toEqual([320, 192]);
});

test("pixels become planes of red, green and blue, with grey around them", () => {
  const box = { scale: [1, 1] as [number, number], inner: [1, 1] as [number, number], pad: [1, 0] as [number, number], input: [2, 1] as [number, number] };
  const out = planes(new Uint8ClampedArray([255, 51, 0, 255]), box);
  const grey = expect.closeTo(114 / 255, 6);
  expect([...out]).toEqual([grey, 1, grey, expect.closeTo(0.2, 6), grey, 0]);
});

/** An output with these candidates: centre x, y, width, height, score; all keypoints are at the centre, certain by half. */
function output(...candidates: number[][]): Float32Array {
  const columns = candidates.length;
  const rows = new Float32Array(56 * columns);
  candidates.forEach((values, column) => {
    values.forEach((value, row) => (rows[row * columns + column] = value));
    for (let joint = 0; joint < 17; joint++)
      [values[0]!, values[1]!, 0.5].forEach((value, axis) => (rows[(5 + 3 * joint + axis) * columns + column] = value));
  });
  return rows;
}

test("people come in pixels of the frame, best first, without doubles and unlikely ones", () => {
  const box = letterbox(640, 480, 320);
  const people = peopleOf(output([100, 108, 40, 80, 0.6], [101, 108, 40, 80, 0.9], [200, 100, 20, 40, 0.5], [10, 20, 5, 5, 0.1]), 4, box);
  expect(people.map((person) => person.score)).toEqual([expect.closeTo(0.9), expect.closeTo(0.5)]);
  // (101 - 20) / 0.5, (108 - 40 - 8) / 0.5, (101 + 20) / 0.5, (108 + 40 - 8) / 0.5
  expect(people[0]!.box).toEqual([162, 120, 242, 280]);
  expect(people[0]!.keypoints).toHaveLength(17);
  expect(people[0]!.keypoints[3]).toEqual([202, 200, 0.5]);
});

test("boxes and joints stay within the frame", () => {
  const box = letterbox(640, 480, 320);
  const [person] = peopleOf(output([5, 10, 40, 40, 0.9]), 1, box);
  expect(person!.box).toEqual([0, 0, 50, 44]);
});

test("no more people than the limit are sent", () => {
  const box = letterbox(640, 640, 640);
  const many = Array.from({ length: 30 }, (_, index) => [20 * index + 10, 50, 10, 10, 0.5 + index / 100]);
  expect(peopleOf(output(...many), 30, box)).toHaveLength(12);
});

test("an output of another network is refused", () => {
  expect(() => peopleOf(new Float32Array(84), 1, letterbox(640, 480, 320))).toThrow("56 rows");
});

test("overlap is the shared area by the area of both", () => {
  expect(iou([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(50 / 150);
  expect(iou([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0);
});

test("the network gets a size that this device can take", () => {
  expect(nextSize(320, 200)).toBe(256);
  expect(nextSize(256, 500)).toBe(256);
  expect(nextSize(320, 20)).toBe(416); // 20 ms · (416/320)² = 34 ms
  expect(nextSize(320, 60)).toBe(320); // 101 ms would be over 90 ms
  expect(nextSize(640, 5)).toBe(640);
});
