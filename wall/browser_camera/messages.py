"""The messages of a camera page, checked: everything that is not as expected raises MalformedMessage with a sentence.

The other side is wall/web/src/camera/messages.ts.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from posebus.arrays import Float32Array
from posebus.contract.foreign_json import WRONG_DATA, load_object, whole
from posebus.errors import MalformedMessage

MAX_HEADER_BYTES = 1_000
MAX_TEXT_BYTES = 40_000
"""Fifty people take less than half of it."""
MAX_PEOPLE = 50
KEYPOINTS = 17
MAX_SIDE_PX = 16_384
MARGIN = 0.5
"""Keypoints may be guessed beside the picture, by this part of its size on each side."""
MAX_TIME_MS = 4.0e12
"""The year 2096."""
MAX_INFERENCE_MS = 60_000.0
_PAGE = re.compile(r"[0-9a-f]{16,64}")


class Mode(StrEnum):
    """What leaves the device of the page."""

    PICTURES = "pictures"
    POSES = "poses"


@dataclass(frozen=True, slots=True)
class Start:
    """The first message of a page. name: as the person wrote it, or None. page: a random text of this page alone."""

    name: str | None
    mode: Mode
    page: str


@dataclass(frozen=True, slots=True)
class SentFrame:
    """What pictures and poses have in common: the number that the page gave, and its times (ms of the page's clock)."""

    seq: int
    captured_at_ms: float
    sent_at_ms: float
    size_px: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture: `jpeg` is not checked yet."""

    frame: SentFrame
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class SentPoses:
    """The people of a frame: boxes_xyxy_px (N, 4), scores (N,), keypoints_px (N, 17, 3); pixels of the frame.

    inference_ms: how long the network took. imgsz: the longest side of its input in pixels.
    """

    frame: SentFrame
    boxes_xyxy_px: Float32Array
    scores: Float32Array
    keypoints_px: Float32Array
    inference_ms: float
    imgsz: int


class Stop:
    """The person ends the camera."""


def read_text(text: str) -> Start | SentPoses | Stop:
    """The message in a text of the WebSocket. Raises MalformedMessage."""
    data = load_object(text, "the message", MAX_TEXT_BYTES)
    kind = data.get("type")
    try:
        if kind == "start":
            return _start(data)
        if kind == "poses":
            return _poses(data)
        if kind == "stop":
            return Stop()
    except WRONG_DATA as error:
        raise MalformedMessage(f"a message of type {kind} is wrong: {str(error)[:150]}") from None
    raise MalformedMessage(f"there is no message of type {str(kind)[:40]!r}")


def read_picture(message: bytes) -> SentPicture:
    """The picture in a binary message: length of the header (uint32, little-endian), header (JSON), JPEG file.

    Raises MalformedMessage.
    """
    length = int.from_bytes(message[:4], "little")
    if len(message) < 4 or length > MAX_HEADER_BYTES or 4 + length > len(message):
        raise MalformedMessage("a picture has no header")
    header = load_object(message[4 : 4 + length], "the header of a picture", MAX_HEADER_BYTES)
    try:
        return SentPicture(_frame(header), message[4 + length :])
    except WRONG_DATA as error:
        raise MalformedMessage(f"the header of a picture is wrong: {str(error)[:150]}") from None


def _start(data: dict[str, Any]) -> Start:
    name, page = data.get("name"), data["page"]
    if name is not None and not isinstance(name, str):
        raise TypeError("name is no text")
    if not isinstance(page, str) or _PAGE.fullmatch(page) is None:
        raise ValueError("page is not a random number in hexadecimal digits")
    return Start(name.strip()[:100] or None if name else None, Mode(data["mode"]), page)


def _frame(data: dict[str, Any]) -> SentFrame:
    width, height = (_whole(data[side], 1, MAX_SIDE_PX) for side in ("width", "height"))
    captured = _number(data["captured_at_ms"], "captured_at_ms", 0.0, MAX_TIME_MS)
    sent = _number(data.get("sent_at_ms", captured), "sent_at_ms", 0.0, MAX_TIME_MS)
    return SentFrame(_whole(data["seq"], 0, 2**53), captured, max(sent, captured), (width, height))


def _poses(data: dict[str, Any]) -> SentPoses:
    frame = _frame(data)
    people = data["people"]
    if not isinstance(people, list) or len(people) > MAX_PEOPLE:
        raise ValueError(f"people is no list of at most {MAX_PEOPLE}")
    boxes = _array([person["box"] for person in people], (len(people), 4), "box")
    scores = _array([person["score"] for person in people], (len(people),), "score")
    keypoints = _array([person["keypoints"] for person in people], (len(people), KEYPOINTS, 3), "keypoints")
    _check_range(scores, 0.0, 1.0, "score")
    _check_range(keypoints[..., 2], 0.0, 1.0, "confidence of a keypoint")
    for axis, side in enumerate(frame.size_px):
        for values, name in ((boxes[:, axis::2], "box"), (keypoints[..., axis], "keypoint")):
            _check_range(values, -MARGIN * side, (1.0 + MARGIN) * side, name)
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        raise ValueError("the corners of a box are not left, top, right, bottom")
    inference_ms = _number(data.get("inference_ms", 0.0), "inference_ms", 0.0, MAX_INFERENCE_MS)
    return SentPoses(frame, boxes, scores, keypoints, inference_ms, _whole(data.get("imgsz", 640), 32, 4096))


def _array(values: list[Any], shape: tuple[int, ...], name: str) -> Float32Array:
    """`values` as an array of finite numbers of this shape. Raises ValueError and TypeError."""
    if not values:
        return np.zeros(shape, np.float32)
    array = np.array(values)  # texts and nulls, which a float32 array would convert, keep their own types
    if array.shape != shape or array.dtype.kind not in "fi":
        raise ValueError(f"{name} has not the shape of {'x'.join(map(str, shape[1:])) or 'a number'}, or no numbers")
    with np.errstate(over="ignore"):
        floats = array.astype(np.float32)
    if not np.isfinite(floats).all():
        raise ValueError(f"{name} has numbers that are not finite")
    return np.ascontiguousarray(floats)


def _check_range(values: Float32Array, least: float, most: float, name: str) -> None:
    if not ((values >= least) & (values <= most)).all():
        raise ValueError(f"a {name} is not between {least:g} and {most:g}")


def _whole(value: object, least: int, most: int) -> int:
    """`value` if it is a whole number; unlike in the broker, a text is none. Raises ValueError and TypeError."""
    if isinstance(value, str):
        raise TypeError("expected a whole number")
    return whole(value, least, most)


def _number(value: object, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{name} is no number")
    if not least <= value <= most:
        raise ValueError(f"{name} is not between {least:g} and {most:g}")
    return float(value)
