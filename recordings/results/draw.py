"""Drawing people: skeleton, thin box and number, in a colour that belongs to the identity.

All functions draw into the BGR picture that they are given. Line widths follow the sizes of the picture and the person,
so that lines neither cover people of 30 pixels nor are too thin on close ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from posebus.arrays import Float32Array, UInt8Array
from posebus.coco import HIDDEN, VISIBLE
from posebus.messages import TrackFrame, TrackState

Image = npt.NDArray[np.uint8]
Color = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

MIN_CONFIDENCE = 0.5
"""Joints of a lower confidence are not drawn: the network guesses them, for instance behind a wall."""

LIMBS = (
    (0, 1), (0, 2), (1, 3), (2, 4),  # face
    (5, 6), (5, 11), (6, 12), (11, 12),  # trunk
    (5, 7), (7, 9), (6, 8), (8, 10),  # arms
    (11, 13), (13, 15), (12, 14), (14, 16),  # legs
)  # fmt: skip
"""Pairs of COCO keypoints that a line joins."""

_NOSE, _LEFT_SHOULDER, _RIGHT_SHOULDER = 0, 5, 6
_FACE = 5
_INK: Color = (24, 20, 18)
_PAPER: Color = (30, 22, 18)
_SHIFT = 4
"""Fractional bits of the coordinates for OpenCV: with whole pixels, slow skeletons would jitter."""


@dataclass(frozen=True, slots=True)
class _Pen:
    """How a person is drawn. `dashed`: the box is predicted. `dark_plate`: the plate of the number is dark."""

    color: Color
    width_px: int
    dashed: bool = False
    dark_plate: bool = False


@dataclass(frozen=True, slots=True)
class _Joints:
    """Positions of the joints, (K, 2) pixels, and how each is drawn, (K,): 0 not at all, 1 as hidden, 2 as visible."""

    positions_px: Float32Array
    visibility: UInt8Array


def color_of(identity: int) -> Color:
    """Return the colour of an identity: always the same, and far from those of the neighbouring numbers.

    Steps by the golden angle through the hues of OKLCH (Ottosson 2020), where equal lightness looks equally bright.
    """
    hue = math.radians(25 + 137.508 * identity)
    lightness, chroma = (0.80, 0.72, 0.87)[identity % 3], 0.155
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return _to_byte(blue), _to_byte(green), _to_byte(red)


def draw_people(
    image_bgr: Image,
    boxes_xyxy_px: Float32Array,
    keypoints_px: Float32Array | None,
    labels: Sequence[str],
    colors: Sequence[Color],
) -> None:
    """Draw N people into `image_bgr` (H, W, 3); those with the lowest feet last, for they stand in front of the others.

    boxes_xyxy_px: (N, 4); keypoints_px: (N, 17, 3) or None; both in pixels of `image_bgr`. An empty label is no label.
    """
    for index in np.argsort(boxes_xyxy_px[:, 3], kind="stable") if len(boxes_xyxy_px) else ():
        box = boxes_xyxy_px[index]
        if not _is_drawable(box):
            continue
        keypoints = None if keypoints_px is None else keypoints_px[index]
        pen = _Pen(colors[index], _line_width_px(image_bgr, box))
        _draw_person(image_bgr, box, _joints(keypoints, None, VISIBLE), labels[index], pen)


def draw_tracks(image_bgr: Image, frame: TrackFrame, *, labels: bool = True) -> None:
    """Draw the tracks of a frame: confirmed ones solid, coasted ones dashed, tentative ones not at all.

    Lost tracks are hairlines with the number on a dark plate. Hidden joints, and all joints of a coasted track, are
    rings at the end of thin lines; joints of unknown position are left out. Without visibility flags the network's
    confidence decides (`MIN_CONFIDENCE`). Without `labels`, numbers are left out.
    `image_bgr` may be a reduced copy of the source frame: coordinates are scaled to its size.
    """
    scale = np.array([image_bgr.shape[1], image_bgr.shape[0]], np.float32) / np.array(frame.size_px, np.float32)
    states = (TrackState.CONFIRMED, TrackState.LOST)
    shown = [track for track in frame.tracks if track.state in states and _is_drawable(track.box_xyxy_px)]
    # Predicted people are behind detected ones.
    shown.sort(key=lambda track: (track.state == TrackState.CONFIRMED, not track.coasted, float(track.box_xyxy_px[3])))
    for track in shown:
        box = track.box_xyxy_px * np.tile(scale, 2)
        keypoints = track.keypoints_px
        if keypoints is not None:
            keypoints = np.concatenate([keypoints[:, :2] * scale, keypoints[:, 2:]], axis=1)
        lost = track.state == TrackState.LOST
        predicted = lost or track.coasted
        width_px = 1 if lost else _line_width_px(image_bgr, box)
        pen = _Pen(color_of(track.id), width_px, dashed=predicted, dark_plate=lost)
        joints = _joints(keypoints, track.keypoint_visibility, HIDDEN if predicted else VISIBLE)
        _draw_person(image_bgr, box, joints, str(track.id) if labels else "", pen)


def skeletons_only(frame: TrackFrame, size_px: tuple[int, int] | None = None) -> Image:
    """Return the tracks of `frame` on a dark canvas of `size_px` (width, height; by default the frame's size)."""
    canvas = empty_canvas(size_px or frame.size_px)
    draw_tracks(canvas, frame)
    return canvas


def empty_canvas(size_px: tuple[int, int]) -> Image:
    """Return a dark picture of `size_px` (width, height)."""
    width, height = size_px
    return np.full((height, width, 3), _PAPER, np.uint8)


def _draw_person(image: Image, box: Float32Array, joints: _Joints | None, label: str, pen: _Pen) -> None:
    _draw_box(image, box, pen)
    if joints is not None:
        _draw_skeleton(image, joints, pen)
    if label:
        _draw_label(image, box, label, pen)


def _joints(keypoints_px: Float32Array | None, visibility: UInt8Array | None, most: int) -> _Joints | None:
    """Return the joints to draw, with a visibility of at most `most`; None without keypoints."""
    if keypoints_px is None:
        return None
    if visibility is None:
        visibility = np.where(keypoints_px[:, 2] >= MIN_CONFIDENCE, VISIBLE, 0).astype(np.uint8)
    drawable = [_is_drawable(row[:2]) for row in keypoints_px]
    return _Joints(keypoints_px[:, :2], np.where(drawable, np.minimum(visibility, most), 0).astype(np.uint8))


def _draw_skeleton(image: Image, joints: _Joints, pen: _Pen) -> None:
    fine_work = pen.width_px > 1
    limbs = _limbs(joints)
    if fine_work:
        # A dark rim first, which makes yellow limbs visible on a white shirt; it would cover tiny people.
        for start, end, visible in limbs:
            _line(image, start, end, _INK, (pen.width_px if visible else 1) + 2)
    for start, end, visible in limbs:
        _line(image, start, end, pen.color, pen.width_px if visible else 1)
    for joint, (position, visibility) in enumerate(zip(joints.positions_px, joints.visibility, strict=True)):
        if visibility and fine_work:
            radius = pen.width_px * (0.6 if joint < _FACE else 1.0) + 0.5
            _dot(image, position, radius + 1, _INK)
            _dot(image, position, radius, (255, 255, 255) if visibility == VISIBLE else pen.color)
            if visibility != VISIBLE:
                _dot(image, position, radius - 1, _INK)


def _limbs(joints: _Joints) -> list[tuple[Float32Array, Float32Array, bool]]:
    """Return start, end and whether both are visible, of all limbs to draw; hidden ones first, beneath the others."""
    positions_px, visibility = joints.positions_px, joints.visibility
    limbs = [(positions_px[a], positions_px[b], min(visibility[a], visibility[b])) for a, b in LIMBS]
    least = visibility[[_NOSE, _LEFT_SHOULDER, _RIGHT_SHOULDER]].min()
    if least:
        neck: Float32Array = (positions_px[_LEFT_SHOULDER] + positions_px[_RIGHT_SHOULDER]) * np.float32(0.5)
        limbs.append((neck, positions_px[_NOSE], least))
    drawn = [(start, end, bool(flag == VISIBLE)) for start, end, flag in limbs if flag]
    return sorted(drawn, key=lambda limb: limb[2])


def _draw_box(image: Image, box: Float32Array, pen: _Pen) -> None:
    left, top, right, bottom = (float(value) for value in box)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    width_px = max(1, pen.width_px // 2)
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        if pen.dashed:
            _dashes(image, start, end, pen.color, width_px)
        else:
            _line(image, start, end, pen.color, width_px)


def _draw_label(image: Image, box: Float32Array, label: str, pen: _Pen) -> None:
    """Draw a small plate above the box, or inside it at the edge of the picture."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.3 + 0.1 * _line_width_px(image, box)
    weight = 1 if scale < 0.7 else 2
    (width, height), _ = cv2.getTextSize(label, font, scale, weight)
    pad = max(2, height // 3)
    plate_width, plate_height = width + 2 * pad, height + 2 * pad
    left = int(np.clip(box[0], 0, max(0, image.shape[1] - plate_width)))
    top = int(box[1]) - plate_height
    top = int(np.clip(top if top >= 0 else int(box[1]), 0, max(0, image.shape[0] - plate_height)))
    bottom_right = (left + plate_width - 1, top + plate_height - 1)
    fill, text = (_INK, pen.color) if pen.dark_plate else (pen.color, _INK)
    cv2.rectangle(image, (left, top), bottom_right, fill, cv2.FILLED)
    cv2.putText(image, label, (left + pad, top + pad + height), font, scale, text, weight, cv2.LINE_AA)


def _line_width_px(image: Image, box: Float32Array) -> int:
    by_picture = min(image.shape[:2]) / 260
    by_person = float(box[3] - box[1]) / 70
    return max(1, int(min(by_picture, by_person) + 0.5))


def _line(
    image: Image,
    start: Sequence[float] | Float32Array,
    end: Sequence[float] | Float32Array,
    color: Color,
    width_px: int,
) -> None:
    cv2.line(image, _fixed(start), _fixed(end), color, width_px, cv2.LINE_AA, _SHIFT)


def _dashes(image: Image, start: tuple[float, float], end: tuple[float, float], color: Color, width_px: int) -> None:
    first, last = np.array(start), np.array(end)
    dash_px = max(4.0, min(image.shape[:2]) / 80)
    count = max(1, int(np.linalg.norm(last - first) / (2 * dash_px)))
    # Each side starts and ends with a dash, so that the corners stay closed.
    steps = np.linspace(0, 1, 2 * count + 2)
    for begin, stop in zip(steps[0::2], steps[1::2], strict=True):
        _line(image, first + (last - first) * begin, first + (last - first) * stop, color, width_px)


def _dot(image: Image, center: Float32Array, radius_px: float, color: Color) -> None:
    cv2.circle(image, _fixed(center), round(radius_px * 2**_SHIFT), color, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _fixed(point: Sequence[float] | Float32Array) -> tuple[int, int]:
    return round(float(point[0]) * 2**_SHIFT), round(float(point[1]) * 2**_SHIFT)


def _is_drawable(values: Float32Array) -> bool:
    """Return whether OpenCV's integers can hold the numbers; a prediction may be far outside the picture."""
    return bool(np.isfinite(values).all() and (np.abs(values) < 60_000).all())


def _to_byte(linear: float) -> int:
    """Return the sRGB value of a linear one; values outside the gamut are clipped."""
    linear = min(1.0, max(0.0, linear))
    encoded = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * encoded)
