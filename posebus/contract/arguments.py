"""Checks of messages that a caller's own code made, before they reach compiled code that trusts their shapes.

Messages from the broker are checked while they are decoded (`posebus.contract.codec`).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from posebus.arrays import check_array
from posebus.contract.wire import problem_of
from posebus.messages import CameraMotion, PoseFrame, Uninferred
from posebus.square_pixels import SQUARE

Message = TypeVar("Message", PoseFrame, Uninferred)

MAX_NUMBER = 2**63 - 1
_FLOAT32 = np.dtype(np.float32)
_SIX_FLOATS = [float] * 6


def checked_pose_frame(frame: PoseFrame) -> PoseFrame:
    """Return `frame`, with Python's own whole numbers; raises ValueError for a field that breaks `PoseFrame`'s terms.

    Arrays of any real dtype and memory layout pass, and so do numbers that are not finite.
    """
    if type(frame) is not PoseFrame:
        raise ValueError(f"a frame is of the type {type(frame).__name__}, expected PoseFrame")
    if not _is_usual(frame):
        _check_arrays(frame)
    if frame.pixel_aspect is not SQUARE:
        _check_aspect(frame.pixel_aspect)
    return checked_key(frame)


def _is_usual(frame: PoseFrame) -> bool:
    """Whether all arrays are float32 and have matching shapes: the usual case, in a quarter of the time."""
    boxes, scores, keypoints, colours = frame.boxes_xyxy_px, frame.scores, frame.keypoints_px, frame.appearance
    try:
        people = len(boxes)
        usual = boxes.dtype is _FLOAT32 and scores.dtype is _FLOAT32
        usual = usual and boxes.shape == (people, 4) and scores.shape == (people,)
        if keypoints is not None:
            usual = usual and keypoints.dtype is _FLOAT32 and keypoints.shape == (people, keypoints.shape[1], 3)
        if colours is not None:
            usual = usual and colours.dtype is _FLOAT32 and colours.shape == (people, colours.shape[1])
    except (AttributeError, IndexError, TypeError):
        return False
    return usual


def _check_arrays(frame: PoseFrame) -> None:
    boxes = frame.boxes_xyxy_px
    check_array("PoseFrame.boxes_xyxy_px", boxes, (None, 4))
    people = len(boxes)
    check_array("PoseFrame.scores", frame.scores, (people,))
    if frame.keypoints_px is not None:
        check_array("PoseFrame.keypoints_px", frame.keypoints_px, (people, None, 3))
    if frame.appearance is not None:
        check_array("PoseFrame.appearance", frame.appearance, (people, None))


def _check_aspect(aspect: Any) -> None:
    if not isinstance(aspect, Fraction | int | float) or not 0 < aspect < MAX_NUMBER:
        raise ValueError(f"PoseFrame.pixel_aspect is {aspect!r}, expected the width of a pixel divided by its height")


def checked_key(frame: Message) -> Message:
    """The same for the frame's key, its size and the camera's motion, which every message about a frame has."""
    if not isinstance(frame.camera, str):
        raise ValueError(f"{type(frame).__name__}.camera is {frame.camera!r}, expected a name")
    motion = frame.camera_motion
    if motion is not None:
        checked = _checked_motion(motion, type(frame).__name__)
        if checked is not motion:
            frame = replace(frame, camera_motion=checked)
    size, epoch, seq, captured_at_ns = frame.size_px, frame.epoch, frame.seq, frame.captured_at_ns
    plain_size = type(size) is tuple and len(size) == 2 and type(size[0]) is int and type(size[1]) is int
    if plain_size and type(epoch) is int and type(seq) is int and type(captured_at_ns) is int:
        _check_ranges(frame)
        return frame
    name = type(frame).__name__
    try:
        width, height = (_whole(side) for side in size)
    except (TypeError, ValueError):
        raise ValueError(f"{name}.size_px is {size!r}, expected whole numbers (width, height)") from None
    plain: dict[str, Any] = {}
    for field in ("epoch", "seq", "captured_at_ns"):
        value = getattr(frame, field)
        try:
            plain[field] = _whole(value)
        except TypeError:
            raise ValueError(f"{name}.{field} is {value!r}, expected a whole number") from None
    cleaned = replace(frame, size_px=(width, height), **plain)
    _check_ranges(cleaned)
    return cleaned


def _checked_motion(motion: Any, message: str) -> CameraMotion:
    """The same motion if it has Python's own numbers, the usual case, else one that has."""
    name = f"{message}.camera_motion"
    if not isinstance(motion, CameraMotion):
        raise ValueError(f"{name} is of the type {type(motion).__name__}, expected CameraMotion")
    plain: CameraMotion = motion
    if not _is_plain(motion):
        try:
            a, b, c, d, e, f = (float(number) for number in motion.matrix)
            plain = CameraMotion(_whole(motion.shot), (a, b, c, d, e, f), float(motion.certainty))
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {motion!r}, expected a whole number, six numbers and a number") from None
    problem = problem_of(plain)
    if problem is not None:
        raise ValueError(f"{name}: {problem}")
    return plain


def _is_plain(motion: CameraMotion) -> bool:
    matrix = motion.matrix
    return (
        type(motion.shot) is int
        and type(motion.certainty) is float
        and type(matrix) is tuple
        and list(map(type, matrix)) == _SIX_FLOATS
    )


def _whole(value: Any) -> int:
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise TypeError
    return int(value)


def _check_ranges(frame: Message) -> None:
    width, height = frame.size_px
    if not (0 < width <= MAX_NUMBER and 0 < height <= MAX_NUMBER):
        name = type(frame).__name__
        raise ValueError(f"{name}.size_px is {frame.size_px}, expected (width, height) of at least 1 pixel")
    if 0 <= frame.epoch <= MAX_NUMBER and 0 <= frame.seq <= MAX_NUMBER and 0 <= frame.captured_at_ns <= MAX_NUMBER:
        return
    for field in ("epoch", "seq", "captured_at_ns"):
        value = getattr(frame, field)
        if not 0 <= value <= MAX_NUMBER:
            raise ValueError(f"{type(frame).__name__}.{field} is {value}, expected a number from 0 to {MAX_NUMBER}")
