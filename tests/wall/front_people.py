"""Made people who walk through a made room, with pictures and exact keypoints: what the page's tests show."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 960, 540
FLOOR_M = (0.0, 0.0, 8.0, 6.0)
_LIMBS = ((5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16))
_CLOTHES = ((120, 86, 60), (70, 70, 150), (90, 130, 80), (140, 120, 110), (60, 50, 60), (160, 140, 90))

Keypoints = list[tuple[float, float, float]]


def person_at(number: int, seconds: float) -> tuple[float, float, float, float]:
    """Where person `number` stands: feet x and y in pixels, and the place on the floor in metres."""
    x_m = 4 + 3.4 * math.sin(seconds * (0.22 + 0.05 * number) + 1.9 * number)
    y_m = 3 + 2.6 * math.cos(seconds * (0.17 + 0.03 * number) + 2.6 * number)
    depth = y_m / FLOOR_M[3]
    feet_y = HEIGHT * (0.97 - 0.42 * depth)
    feet_x = WIDTH * (0.5 + (x_m / FLOOR_M[2] - 0.5) * (0.95 - 0.4 * depth))
    return feet_x, feet_y, x_m, y_m


def keypoints_of(number: int, seconds: float) -> tuple[Keypoints, tuple[float, float, float, float]]:
    """The 17 keypoints of a walking person, and the box around them, in pixels."""
    feet_x, feet_y, _, y_m = person_at(number, seconds)
    tall = 250 - 125 * y_m / FLOOR_M[3]
    swing = math.sin(seconds * 5 + number)

    def at(across: float, up: float, sure: float = 0.95) -> tuple[float, float, float]:
        return feet_x + across * tall, feet_y - up * tall, sure

    face = [at(0, 0.92), at(0.02, 0.94), at(-0.02, 0.94), at(0.04, 0.92), at(-0.04, 0.92, 0.2)]
    arms = [
        *(at(0.1, 0.8), at(-0.1, 0.8)),
        *(at(0.14 + 0.05 * swing, 0.64), at(-0.14 + 0.05 * swing, 0.64)),
        *(at(0.13 + 0.12 * swing, 0.5), at(-0.13 + 0.12 * swing, 0.5)),
    ]
    legs = [
        *(at(0.07, 0.5), at(-0.07, 0.5)),
        *(at(0.07 + 0.08 * swing, 0.27), at(-0.07 - 0.08 * swing, 0.27)),
        *(at(0.07 + 0.13 * swing, 0.03), at(-0.07 - 0.13 * swing, 0.03)),
    ]
    box = (feet_x - 0.22 * tall, feet_y - tall, feet_x + 0.22 * tall, feet_y)
    return [*face, *arms, *legs], box


def picture(hue: int, people: int, seconds: float, width: int) -> bytes:
    """A JPEG of the room with `people` in it, `width` pixels wide."""
    image = _room(hue)
    order = sorted(range(1, people + 1), key=lambda number: person_at(number, seconds)[1])
    for number in order:
        _paint_person(image, number, keypoints_of(number, seconds)[0])
    height = round(width * HEIGHT / WIDTH)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


def _room(hue: int) -> npt.NDArray[np.uint8]:
    rows = np.linspace(0, 1, HEIGHT)[:, None]
    value = np.where(rows < 0.5, 168 - 50 * rows, 96 + 70 * rows)
    plain = np.stack([np.full((HEIGHT, 1), hue % 180), np.full((HEIGHT, 1), 34), value], axis=2)
    room = cv2.cvtColor(np.repeat(plain, WIDTH, axis=1).astype(np.uint8), cv2.COLOR_HSV2BGR)
    for left in range(80, WIDTH, 230):
        cv2.rectangle(room, (left, 60), (left + 120, 190), (215, 205, 196), cv2.FILLED)
        cv2.rectangle(room, (left, 60), (left + 120, 190), (120, 112, 104), 3)
    cv2.line(room, (0, HEIGHT // 2), (WIDTH, HEIGHT // 2), (90, 86, 82), 2)
    return np.asarray(room, np.uint8)


def _paint_person(image: npt.NDArray[np.uint8], number: int, keypoints: Keypoints) -> None:
    points = [(round(x), round(y)) for x, y, _ in keypoints]
    thick = max(4, abs(points[11][1] - points[5][1]) // 4)
    cloth = _CLOTHES[number % len(_CLOTHES)]
    trunk = np.array([points[5], points[6], points[12], points[11]], np.int32)
    for start, end in _LIMBS:
        cv2.line(image, points[start], points[end], cloth, thick, cv2.LINE_AA)
    cv2.fillConvexPoly(image, trunk, tuple(min(255, part + 35) for part in cloth), cv2.LINE_AA)
    cv2.circle(image, points[0], thick, (150, 175, 205), cv2.FILLED, cv2.LINE_AA)
