"""The node of a key: slots as in the cluster specification, and slots that move."""

from __future__ import annotations

from typing import Any

import pytest

from posebus.bus.redis.slots import SlotMap, by_slot, key_of, slot_map, slot_of

ONE, TWO = ("10.0.0.1", 6379), ("10.0.0.2", 6380)


def test_the_slot_is_that_of_the_hash_tag() -> None:
    assert slot_of(b"123456789") == 12739  # the example of the specification: CRC16 is 0x31C3
    assert slot_of("posebus:{3}:frames:door") == slot_of(b"posebus:{3}:lease:gate:tracker") == slot_of("3")
    assert len({slot_of(f"posebus:{{{shard}}}:events") for shard in range(64)}) == 64


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("XADD", "k", "*", "a", b"1"), "k"),
        (("XGROUP CREATE", "k", "g", "0", b"MKSTREAM"), "k"),
        (("XINFO GROUPS", "k"), "k"),
        (("XGROUP", "CREATE", "k", "g"), "k"),
        (("MEMORY USAGE", "k"), "k"),
        (("XREAD", b"BLOCK", "100", b"STREAMS", "k", "j", "0", "0"), "k"),
        (("XREADGROUP", b"GROUP", "STREAMS", "streams", b"COUNT", "5", b"STREAMS", b"k", ">"), b"k"),
        (("EVALSHA", "sha", 2, "k", "j", "a"), "k"),
        (("EVAL", "return 1", "0"), None),
        (("WATCH", "k", "j"), "k"),
        (("INFO", "server"), None),
        (("TIME",), None),
        (("CLUSTER SLOTS",), None),
        (("SCRIPT LOAD", "return 1"), None),
        (("EXEC",), None),
    ],
)
def test_the_key_of_a_command(command: tuple[Any, ...], key: bytes | str | None) -> None:
    assert key_of(command) == key


def test_a_map_follows_a_slot_that_moved() -> None:
    known = slot_map(
        [[0, 8191, [b"10.0.0.1", 6379, b"id"], [b"replica", 1, b"id"]], [8192, 16383, [b"10.0.0.2", 6380]]], "x"
    )
    assert (known.owner(0), known.owner(8191), known.owner(8192)) == (ONE, ONE, TWO)
    assert known.nodes == [ONE, TWO]
    assert known.covered
    moved = known.moved(5, TWO).moved(5, ONE).moved(7, TWO)
    assert (moved.owner(5), moved.owner(7), moved.owner(6)) == (ONE, TWO, ONE)
    assert len(moved.ranges) == 4


def test_a_node_without_a_name_has_the_host_that_was_asked() -> None:
    assert slot_map([[0, 100, [b"", 7000, b"id"]]], "10.9.9.9").nodes == [("10.9.9.9", 7000)]
    assert slot_map([[0, 100, [None, 7000, b"id", []]]], "10.9.9.9").nodes == [("10.9.9.9", 7000)]


def test_a_map_with_a_slot_without_a_node_is_not_covered() -> None:
    partial = slot_map([[0, 100, [b"10.0.0.1", 6379]]], "x")
    assert partial.owner(101) is None
    assert not partial.covered
    assert SlotMap().nodes == []


def test_streams_are_divided_by_slot() -> None:
    streams = {f"posebus:{{{shard}}}:poses:{camera}": ">" for shard in (1, 2) for camera in ("a", "b")}
    parts = list(by_slot(streams).values())
    assert [list(part) for part in parts] == [
        ["posebus:{1}:poses:a", "posebus:{1}:poses:b"],
        ["posebus:{2}:poses:a", "posebus:{2}:poses:b"],
    ]
