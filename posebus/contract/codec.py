"""Messages to fields of stream entries and back. Everything that is read is checked; nothing is ever unpickled.

Fields are short text that `redis-cli XRANGE` shows readably, and arrays are raw little-endian float32 bytes; `tracks`
and `events` carry one JSON field `data` instead (`posebus.contract.public_json`). Every decode function raises
MalformedMessage for an entry that does not follow this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from posebus.contract.fields.lineage import Fields, lineage_fields, read_key, read_kind
from posebus.contract.fields.marks import (
    decode_end,
    decode_skipped,
    decode_uninferred,
    encode_end,
    encode_skipped,
    encode_uninferred,
    read_end,
)
from posebus.contract.fields.pose_fields import decode_pose_frame, encode_pose_frame
from posebus.contract.wire import (
    RawFields,
    aspect_fields,
    motion_fields,
    read_aspect,
    read_bytes,
    read_choice,
    read_int,
    read_motion,
    read_size,
    read_text,
    size_text,
)
from posebus.errors import MalformedMessage
from posebus.messages import (
    CaptureClock,
    Delivery,
    EndOfStream,
    Frame,
    PoseFrame,
    Provenance,
    Skipped,
    Uninferred,
)
from posebus.views import parse_views

PoseBody = PoseFrame | Uninferred | Skipped | EndOfStream
"""The messages that an entry of `poses` may hold."""

ENCODINGS = ("jpeg", "raw", "shared")


@dataclass(frozen=True, slots=True)
class PoseKind:
    """One kind of entry of `poses`: the value of its field `kind`, its message, and the functions that convert it."""

    name: str
    body: type
    encode: Callable[[Any, Provenance | None, int], Fields]
    decode: Callable[[RawFields], tuple[PoseBody, Provenance]]


POSE_KINDS = (
    PoseKind("poses", PoseFrame, encode_pose_frame, decode_pose_frame),
    PoseKind("uninferred", Uninferred, encode_uninferred, decode_uninferred),
    PoseKind("skipped", Skipped, encode_skipped, decode_skipped),
    PoseKind("end", EndOfStream, encode_end, decode_end),
)
_KIND_BY_NAME = {kind.name: kind for kind in POSE_KINDS}
_KIND_BY_BODY = {kind.body: kind for kind in POSE_KINDS}
_POSE_KIND_NAMES = tuple(_KIND_BY_NAME)


def encode_frame(frame: Frame | EndOfStream, published_at_ns: int) -> Fields:
    """Fields of one entry of `frames`."""
    if isinstance(frame, EndOfStream):
        return encode_end(frame, None, published_at_ns)
    return {
        **lineage_fields("frame", frame, frame.delivery),
        "published_at_ns": published_at_ns,
        "clock": frame.clock.value,
        "size": size_text(frame.size_px),
        "image_size": size_text(frame.image_size_px),
        **aspect_fields(frame.pixel_aspect),
        **motion_fields(frame.camera_motion),
        "encoding": frame.encoding,
        **({"views": ",".join(map(str, frame.views))} if frame.views else {}),
        "data": frame.data,
    }


def decode_frame(raw: RawFields) -> Frame | EndOfStream:
    """The message in an entry of `frames`. Raises MalformedMessage."""
    if read_kind(raw, ("frame", "end")) == "end":
        return read_end(raw)
    encoding = read_text(raw, b"encoding")
    if encoding not in ENCODINGS:
        raise MalformedMessage(f"field encoding is {encoding!r}, expected one of {', '.join(ENCODINGS)}")
    return Frame(
        **read_key(raw),
        clock=read_choice(raw, b"clock", CaptureClock),
        delivery=read_choice(raw, b"delivery", Delivery),
        size_px=read_size(raw, b"size"),
        image_size_px=read_size(raw, b"image_size"),
        encoding=encoding,
        data=read_bytes(raw, b"data"),
        published_at_ns=read_int(raw, b"published_at_ns"),
        views=parse_views(read_text(raw, b"views")) if b"views" in raw else (),
        pixel_aspect=read_aspect(raw),
        camera_motion=read_motion(raw),
    )


def skipped_frame(raw: RawFields, reason: str) -> Skipped | None:
    """A mark that the frame in `raw` was given up, or None if `raw` does not identify a frame."""
    try:
        return Skipped(**read_key(raw), delivery=read_choice(raw, b"delivery", Delivery), reason=reason)
    except MalformedMessage:
        return None


def encode_poses(body: PoseBody, provenance: Provenance | None, published_at_ns: int) -> Fields:
    """Fields of one entry of `poses`. A PoseFrame needs its provenance; the other messages ignore it."""
    return _KIND_BY_BODY[type(body)].encode(body, provenance, published_at_ns)


def decode_poses(raw: RawFields) -> tuple[PoseBody, Provenance]:
    """The message in an entry of `poses` and its provenance. Raises MalformedMessage."""
    return _KIND_BY_NAME[read_kind(raw, _POSE_KIND_NAMES)].decode(raw)
