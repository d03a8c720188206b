"""Entries of `poses` and `frames` that hold no arrays: the end of a source, skipped frames, frames not inferred."""

from __future__ import annotations

from typing import TypeVar

from posebus.contract.fields.lineage import Fields, lineage_fields, read_key
from posebus.contract.wire import (
    RawFields,
    aspect_fields,
    motion_fields,
    read_aspect,
    read_choice,
    read_int,
    read_motion,
    read_size,
    read_text,
    size_text,
)
from posebus.messages import CaptureClock, Delivery, EndOfStream, Provenance, Skipped, Uninferred

MAX_REASON_LENGTH = 200
"""Characters of a reason; each takes up to four bytes in UTF-8."""

Mark = TypeVar("Mark", EndOfStream, Skipped)


def encode_end(mark: EndOfStream, provenance: Provenance | None, published_at_ns: int) -> Fields:
    """Fields of an EndOfStream; it needs no provenance."""
    return _encode("end", mark, published_at_ns)


def encode_skipped(mark: Skipped, provenance: Provenance | None, published_at_ns: int) -> Fields:
    """Fields of a Skipped; it needs no provenance."""
    return _encode("skipped", mark, published_at_ns)


def encode_uninferred(frame: Uninferred, provenance: Provenance | None, published_at_ns: int) -> Fields:
    """Fields of an Uninferred; it needs no provenance."""
    return {
        **lineage_fields("uninferred", frame, frame.delivery),
        "published_at_ns": published_at_ns,
        "clock": frame.clock.value,
        "size": size_text(frame.size_px),
        **aspect_fields(frame.pixel_aspect),
        **motion_fields(frame.camera_motion),
        "reason": _text(frame.reason),
    }


def read_end(raw: RawFields) -> EndOfStream:
    """The EndOfStream in `raw`. Raises MalformedMessage."""
    return _read(raw, EndOfStream)


def decode_end(raw: RawFields) -> tuple[EndOfStream, Provenance]:
    """The EndOfStream in `raw` and its provenance. Raises MalformedMessage."""
    mark = _read(raw, EndOfStream)
    return mark, _provenance(mark, CaptureClock.ARRIVAL)


def decode_skipped(raw: RawFields) -> tuple[Skipped, Provenance]:
    """The Skipped in `raw` and its provenance. Raises MalformedMessage."""
    mark = _read(raw, Skipped)
    return mark, _provenance(mark, CaptureClock.ARRIVAL)


def decode_uninferred(raw: RawFields) -> tuple[Uninferred, Provenance]:
    """The Uninferred in `raw` and its provenance. Raises MalformedMessage."""
    frame = Uninferred(
        **read_key(raw),
        clock=read_choice(raw, b"clock", CaptureClock),
        delivery=read_choice(raw, b"delivery", Delivery),
        size_px=read_size(raw, b"size"),
        reason=read_text(raw, b"reason"),
        published_at_ns=read_int(raw, b"published_at_ns"),
        pixel_aspect=read_aspect(raw),
        camera_motion=read_motion(raw),
    )
    return frame, _provenance(frame, frame.clock)


def _encode(kind: str, mark: EndOfStream | Skipped, published_at_ns: int) -> Fields:
    return {
        **lineage_fields(kind, mark, mark.delivery),
        "reason": _text(mark.reason),
        "published_at_ns": published_at_ns,
    }


def _text(reason: str) -> str:
    """Return `reason` as far as there is room, without what is no text: it may quote the names of files."""
    return reason.encode(errors="backslashreplace").decode()[:MAX_REASON_LENGTH]


def _read(raw: RawFields, mark: type[Mark]) -> Mark:
    return mark(
        **read_key(raw),
        delivery=read_choice(raw, b"delivery", Delivery),
        reason=read_text(raw, b"reason"),
        published_at_ns=read_int(raw, b"published_at_ns"),
    )


def _provenance(mark: EndOfStream | Skipped | Uninferred, clock: CaptureClock) -> Provenance:
    return Provenance(
        clock=clock,
        delivery=mark.delivery,
        frame_published_at_ns=mark.published_at_ns,
        published_at_ns=mark.published_at_ns,
    )
