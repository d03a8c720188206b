"""The fields that every entry of `frames` and `poses` begins with: version, kind, frame key and delivery."""

from __future__ import annotations

from typing import TypedDict

from posebus.contract.wire import RawFields, read_int, read_text
from posebus.errors import MalformedMessage
from posebus.messages import SCHEMA_VERSION, Delivery, FrameKey

Fields = dict[bytes | str, bytes | str | int | float]
"""Fields of a stream entry in the form in which redis-py sends them."""

MAX_FIELDS = 64


class KeyFields(TypedDict):
    """The fields of a `FrameKey`, as keyword arguments for a message."""

    camera: str
    epoch: int
    seq: int
    captured_at_ns: int


def lineage_fields(kind: str, key: FrameKey, delivery: Delivery) -> Fields:
    """The first fields of an entry of this kind about the frame `key`."""
    return {
        "v": SCHEMA_VERSION,
        "kind": kind,
        "camera": key.camera,
        "epoch": key.epoch,
        "seq": key.seq,
        "captured_at_ns": key.captured_at_ns,
        "delivery": delivery.value,
    }


def read_key(raw: RawFields) -> KeyFields:
    """The frame key of an entry. Raises MalformedMessage."""
    return {
        "camera": read_text(raw, b"camera"),
        "epoch": read_int(raw, b"epoch"),
        "seq": read_int(raw, b"seq"),
        "captured_at_ns": read_int(raw, b"captured_at_ns"),
    }


def read_kind(raw: RawFields, allowed: tuple[str, ...]) -> str:
    """The kind of an entry. Raises MalformedMessage for too many fields, another version, or a kind not allowed."""
    if len(raw) > MAX_FIELDS:
        raise MalformedMessage(f"it has {len(raw)} fields, more than {MAX_FIELDS}")
    version = read_int(raw, b"v")
    if version != SCHEMA_VERSION:
        raise MalformedMessage(f"schema version {version} is not known here (this is {SCHEMA_VERSION}): update posebus")
    kind = read_text(raw, b"kind")
    if kind not in allowed:
        raise MalformedMessage(f"field kind is {kind!r}, expected one of {', '.join(allowed)}")
    return kind
