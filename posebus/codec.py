"""Messages to stream fields and back. Everything that is read is checked; nothing is ever unpickled.

Fields are short text that `redis-cli XRANGE` shows readably; arrays are raw little-endian float32 bytes; `tracks` and
`events` carry one JSON field `data`. A decode function raises MalformedMessage for whatever does not follow this.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from posebus.errors import MalformedMessage
from posebus.messages import (
    SCHEMA_VERSION,
    CaptureClock,
    Delivery,
    EndOfStream,
    FloatArray,
    Frame,
    PoseFrame,
    Provenance,
    Skipped,
)

Fields = dict[bytes | str, bytes | str | int | float]
RawFields = Mapping[bytes, bytes]
Mark = TypeVar("Mark", EndOfStream, Skipped)

_WIRE_FLOAT = np.dtype("<f4")
MAX_SIDE_PX = 65_535
MAX_NUMBER = 2**63 - 1
MAX_COORDINATE = 1_000_000.0
"""Boxes and joints may lie outside of the picture, but not so far that computing with them overflows."""
MAX_PEOPLE = 1000
MAX_KEYPOINTS = 1000
MAX_APPEARANCE = 4096
MAX_FIELDS = 64
MAX_TEXT_BYTES = 1000
MAX_REASON_LENGTH = 200
"""In letters, of which one takes up to four bytes."""
ENCODINGS = ("jpeg", "raw", "shared")


def encode_frame(frame: Frame | EndOfStream, published_at_ns: int) -> Fields:
    """Fields of one entry of `frames`."""
    if isinstance(frame, EndOfStream):
        return _encode_mark(frame, "end", published_at_ns)
    return {
        **_lineage("frame", frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.delivery),
        "published_at_ns": published_at_ns,
        "clock": frame.clock.value,
        "size": f"{frame.size_px[0]}x{frame.size_px[1]}",
        "image_size": f"{frame.image_size_px[0]}x{frame.image_size_px[1]}",
        "encoding": frame.encoding,
        "data": frame.data,
    }


def decode_frame(raw: RawFields) -> Frame | EndOfStream:
    """The entry of `frames` that `raw` holds; raises MalformedMessage."""
    kind = _kind(raw, ("frame", "end"))
    if kind == "end":
        return _decode_mark(raw, EndOfStream)
    encoding = _text(raw, b"encoding")
    if encoding not in ENCODINGS:
        raise MalformedMessage(f"field encoding is {encoding!r}, expected one of {', '.join(ENCODINGS)}")
    return Frame(
        camera=_text(raw, b"camera"),
        epoch=_int(raw, b"epoch"),
        seq=_int(raw, b"seq"),
        captured_at_ns=_int(raw, b"captured_at_ns"),
        clock=_choice(raw, b"clock", CaptureClock),
        delivery=_choice(raw, b"delivery", Delivery),
        size_px=_size(raw, b"size"),
        image_size_px=_size(raw, b"image_size"),
        encoding=encoding,
        data=_bytes(raw, b"data"),
        published_at_ns=_int(raw, b"published_at_ns"),
    )


def skipped_frame(raw: RawFields, reason: str) -> Skipped | None:
    """A mark that the frame in `raw` was given up; None if `raw` does not even say which frame it was."""
    try:
        return Skipped(
            camera=_text(raw, b"camera"),
            epoch=_int(raw, b"epoch"),
            seq=_int(raw, b"seq"),
            captured_at_ns=_int(raw, b"captured_at_ns"),
            delivery=_choice(raw, b"delivery", Delivery),
            reason=reason,
        )
    except MalformedMessage:
        return None


def encode_poses(
    body: PoseFrame | Skipped | EndOfStream, provenance: Provenance | None, published_at_ns: int
) -> Fields:
    """Fields of one entry of `poses`; `provenance` goes with a PoseFrame only."""
    if isinstance(body, EndOfStream):
        return _encode_mark(body, "end", published_at_ns)
    if isinstance(body, Skipped):
        return _encode_mark(body, "skipped", published_at_ns)
    if provenance is None:
        raise ValueError("a PoseFrame needs its provenance")
    fields: Fields = {
        **_lineage("poses", body.camera, body.epoch, body.seq, body.captured_at_ns, provenance.delivery),
        "published_at_ns": published_at_ns,
        "frame_published_at_ns": provenance.frame_published_at_ns,
        "inference_ns": provenance.inference_ns,
        "clock": provenance.clock.value,
        "size": f"{body.size_px[0]}x{body.size_px[1]}",
        "people": len(body.scores),
        "boxes": _array_bytes(body.boxes_xyxy_px),
        "scores": _array_bytes(body.scores),
    }
    if body.keypoints_px is not None:
        fields["keypoints_per_person"] = body.keypoints_px.shape[1]
        fields["keypoints"] = _array_bytes(body.keypoints_px)
    if body.appearance is not None:
        fields["appearance_size"] = body.appearance.shape[1]
        fields["appearance"] = _array_bytes(body.appearance)
    return fields


def decode_poses(raw: RawFields) -> tuple[PoseFrame | Skipped | EndOfStream, Provenance]:
    """The entry of `poses` that `raw` holds and how it came to be; raises MalformedMessage."""
    kind = _kind(raw, ("poses", "skipped", "end"))
    published_at_ns = _int(raw, b"published_at_ns")
    delivery = _choice(raw, b"delivery", Delivery)
    if kind != "poses":
        mark = _decode_mark(raw, EndOfStream) if kind == "end" else _decode_mark(raw, Skipped)
        return mark, Provenance(CaptureClock.ARRIVAL, delivery, published_at_ns, published_at_ns)
    people = _int(raw, b"people", MAX_PEOPLE)
    keypoints = appearance = None
    if b"keypoints" in raw:
        keypoints = _array(raw, b"keypoints", (people, _int(raw, b"keypoints_per_person", MAX_KEYPOINTS), 3))
    if b"appearance" in raw:
        appearance = _array(raw, b"appearance", (people, _int(raw, b"appearance_size", MAX_APPEARANCE)))
    body = PoseFrame(
        camera=_text(raw, b"camera"),
        epoch=_int(raw, b"epoch"),
        seq=_int(raw, b"seq"),
        captured_at_ns=_int(raw, b"captured_at_ns"),
        size_px=_size(raw, b"size"),
        boxes_xyxy_px=_array(raw, b"boxes", (people, 4)),
        scores=_array(raw, b"scores", (people,)),
        keypoints_px=keypoints,
        appearance=appearance,
    )
    clock = _choice(raw, b"clock", CaptureClock)
    inference_ns = _int(raw, b"inference_ns") if b"inference_ns" in raw else 0
    return body, Provenance(clock, delivery, _int(raw, b"frame_published_at_ns"), published_at_ns, inference_ns)


def _lineage(kind: str, camera: str, epoch: int, seq: int, captured_at_ns: int, delivery: Delivery) -> Fields:
    return {
        "v": SCHEMA_VERSION,
        "kind": kind,
        "camera": camera,
        "epoch": epoch,
        "seq": seq,
        "captured_at_ns": captured_at_ns,
        "delivery": delivery.value,
    }


def _encode_mark(mark: EndOfStream | Skipped, kind: str, published_at_ns: int) -> Fields:
    fields = _lineage(kind, mark.camera, mark.epoch, mark.seq, mark.captured_at_ns, mark.delivery)
    return {**fields, "reason": mark.reason[:MAX_REASON_LENGTH], "published_at_ns": published_at_ns}


def _decode_mark(raw: RawFields, mark: type[Mark]) -> Mark:
    return mark(
        camera=_text(raw, b"camera"),
        epoch=_int(raw, b"epoch"),
        seq=_int(raw, b"seq"),
        captured_at_ns=_int(raw, b"captured_at_ns"),
        delivery=_choice(raw, b"delivery", Delivery),
        reason=_text(raw, b"reason"),
        published_at_ns=_int(raw, b"published_at_ns"),
    )


def _array_bytes(array: FloatArray) -> bytes:
    return np.ascontiguousarray(array, dtype=_WIRE_FLOAT).tobytes()


def _array(raw: RawFields, name: bytes, shape: tuple[int, ...]) -> FloatArray:
    data = _bytes(raw, name)
    expected = _WIRE_FLOAT.itemsize * math.prod(shape)
    if len(data) != expected:
        raise MalformedMessage(f"field {name.decode()} has {len(data)} bytes, shape {shape} needs {expected}")
    array = np.frombuffer(data, dtype=_WIRE_FLOAT).reshape(shape).astype(np.float32)
    if not (np.abs(array) <= MAX_COORDINATE).all():  # nor is it where there is none (NaN)
        raise MalformedMessage(f"field {name.decode()} holds a number that is not finite, or beyond {MAX_COORDINATE:g}")
    return array


def _kind(raw: RawFields, allowed: tuple[str, ...]) -> str:
    if len(raw) > MAX_FIELDS:
        raise MalformedMessage(f"it has {len(raw)} fields, more than {MAX_FIELDS}")
    version = _int(raw, b"v")
    if version != SCHEMA_VERSION:
        raise MalformedMessage(f"schema version {version} is not known here (this is {SCHEMA_VERSION}): update posebus")
    kind = _text(raw, b"kind")
    if kind not in allowed:
        raise MalformedMessage(f"field kind is {kind!r}, expected one of {', '.join(allowed)}")
    return kind


def _bytes(raw: RawFields, name: bytes) -> bytes:
    try:
        return raw[name]
    except KeyError:
        raise MalformedMessage(f"field {name.decode()} is missing") from None


def _text(raw: RawFields, name: bytes) -> str:
    text = _bytes(raw, name)
    if len(text) > MAX_TEXT_BYTES:
        raise MalformedMessage(f"field {name.decode()} is longer than {MAX_TEXT_BYTES} bytes")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise MalformedMessage(f"field {name.decode()} is not UTF-8 text") from None


def _int(raw: RawFields, name: bytes, most: int = MAX_NUMBER) -> int:
    text = _bytes(raw, name)
    if len(text) > 20 or not text.isdigit() or int(text) > most:
        raise MalformedMessage(f"field {name.decode()} is {text[:40]!r}, expected a whole number from 0 to {most}")
    return int(text)


E_ = TypeVar("E_", CaptureClock, Delivery)


def _choice(raw: RawFields, name: bytes, enum: type[E_]) -> E_:
    text = _text(raw, name)
    try:
        return enum(text)
    except ValueError:
        allowed = ", ".join(item.value for item in enum)
        raise MalformedMessage(f"field {name.decode()} is {text[:40]!r}, expected one of {allowed}") from None


def _size(raw: RawFields, name: bytes) -> tuple[int, int]:
    width, cross, height = _text(raw, name).partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and len(width) < 6 and len(height) < 6):
        raise MalformedMessage(f"field {name.decode()} is not WIDTHxHEIGHT")
    size = int(width), int(height)
    if not (0 < size[0] <= MAX_SIDE_PX and 0 < size[1] <= MAX_SIDE_PX):
        raise MalformedMessage(f"field {name.decode()} is {size[0]}x{size[1]}, sides must be 1 to {MAX_SIDE_PX}")
    return size
