"""The picture in a dead letter, in a form that can be viewed later and on any machine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import simplejpeg

from posebus.bus.frame_consumer import PoseResult
from posebus.errors import BadPicture
from posebus.messages import Frame
from posebus.runtime.shared_frames import SharedFrames

MAX_FIELD_BYTES = 4_000_000
"""Larger pictures, and larger fields of malformed entries, are left out of a dead letter."""
MAX_SIDE_PX = 1920
JPEG_QUALITY = 95


def with_viewable_picture(result: PoseResult, shared: SharedFrames | None) -> PoseResult:
    """Return a dead letter in which a raw picture, also one in shared memory, is replaced by a JPEG.

    A JPEG stays as it is and is not decoded here, because decoding it may be what crashed the workers.
    """
    frame = result.entry.body
    if not isinstance(frame, Frame):
        large = {name: b"" for name, value in result.entry.raw.items() if len(value) > MAX_FIELD_BYTES}
        return replace(result, letter=large)
    letter: dict[bytes, bytes] = {}
    if frame.encoding != "jpeg":
        try:
            data, size_px = _jpeg(frame, shared)
            letter = {b"encoding": b"jpeg", b"data": data, b"image_size": b"%dx%d" % size_px}
        except (BadPicture, ValueError) as error:
            letter = {b"dead_picture": f"not kept: {error}".encode()}
    if len(letter.get(b"data", frame.data)) > MAX_FIELD_BYTES:
        letter = {b"data": b"", b"dead_picture": b"left out because of its size, %d bytes" % len(frame.data)}
    return replace(result, letter=letter)


def _jpeg(frame: Frame, shared: SharedFrames | None) -> tuple[bytes, tuple[int, int]]:
    """Return the frame's BGR rows as a JPEG, and its (width, height); large pictures keep every nth row and column."""
    width_px, height_px = frame.image_size_px
    data: bytes | memoryview = frame.data
    if frame.encoding == "shared":
        if shared is None:
            raise BadPicture("it is in the shared memory of the ingest's machine")
        data = shared.get(frame.data.decode(errors="replace"))
    rows = np.frombuffer(data, np.uint8).reshape(height_px, width_px, 3)
    step = -(-max(width_px, height_px) // MAX_SIDE_PX)
    rows = np.ascontiguousarray(rows[::step, ::step])
    return simplejpeg.encode_jpeg(rows, JPEG_QUALITY, "BGR", "444"), (rows.shape[1], rows.shape[0])
