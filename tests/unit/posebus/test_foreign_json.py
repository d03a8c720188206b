"""JSON of others is refused with a sentence where it is too large, too deep or no JSON."""

from __future__ import annotations

import json

import pytest

from posebus.bus.reclaim import attempts_from_json
from posebus.bus.registry import read_record
from posebus.contract.foreign_json import MAX_DEPTH, load_json, load_object, whole
from posebus.contract.plan import decisions_from_text, plan_from_text
from posebus.contract.public_json import event_from_json, parse, track_frame_from_json
from posebus.contract.snapshot import unpack_state
from posebus.errors import MalformedMessage
from posebus.subscribing.subscription import StreamSelection
from posebus.topology import Topology

DEEP = b"[" * 5000
NESTED = b'{"a":' * 500 + b"1" + b"}" * 500
"""Python parses this, but gives up when it writes it again in a deep stack."""
HUGE = b"9" * 400
TOO_LONG = b"9" * 5000
HOSTILE = [DEEP, NESTED, TOO_LONG, b"\xff\xfe", b"", b"{", b'"\\ud800', b"nul"]


@pytest.mark.parametrize("raw", HOSTILE)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedMessage, match=r"^the report "):
        load_json(raw, "the report")


def test_size_is_limited_before_parsing() -> None:
    with pytest.raises(MalformedMessage, match="12 bytes, more than 10"):
        load_json(b'"0123456789"', "it", 10)


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_is_limited(depth: int) -> None:
    raw = b"[" * depth + b"]" * depth
    if depth > MAX_DEPTH:
        with pytest.raises(MalformedMessage, match="deep"):
            load_json(raw, "it")
    else:
        assert load_json(raw, "it") == json.loads(raw)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(load_json(json.dumps([[1]] * 1000), "it")) == 1000


def test_other_values_than_objects_are_refused() -> None:
    with pytest.raises(MalformedMessage, match="not a JSON object"):
        load_object(b"[1]", "it")


@pytest.mark.parametrize("value", ["abc", 1.5, True, None, 2**63, -1, "9" * 30, [1]])
def test_numbers_are_whole_and_bounded(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        whole(value)


@pytest.mark.parametrize(
    "raw", [*HOSTILE, b"[[1e999]]", b"{}", b"[]", b"7", HUGE, b'[1,1,1,[["x"]]]', b"[[%s,0]]" % HUGE]
)
def test_readers_refuse_it_as_malformed(raw: bytes) -> None:
    snapshot = b"PBS1" + len(raw).to_bytes(8, "little") + raw
    for read in (
        lambda: plan_from_text(raw),
        lambda: track_frame_from_json(parse(raw)),
        lambda: event_from_json(parse(raw)),
        lambda: read_record("door", raw),
    ):
        with pytest.raises(MalformedMessage):
            read()
    for read in (lambda: unpack_state(snapshot), lambda: decisions_from_text(raw)):
        try:
            read()
        except MalformedMessage:
            continue
    assert attempts_from_json(raw) == ()
    if raw != b"{}":
        with pytest.raises(ValueError, match="cursor"):
            StreamSelection(None, ("events",), raw.decode(errors="replace"), Topology(1), None)


def test_cursor_holds_ids_of_entries() -> None:
    with pytest.raises(ValueError, match="cursor"):
        StreamSelection(None, ("events",), '{"posebus:{0}:events": "x"}', Topology(1), None)
