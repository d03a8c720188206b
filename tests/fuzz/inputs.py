"""Inputs for fuzzing: valid messages that were damaged, and values that have broken programs before."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from posebus.contract.codec import encode_frame, encode_poses
from posebus.contract.fields.lineage import Fields
from posebus.contract.public_json import event_to_json, track_frame_to_json
from posebus.contract.snapshot import pack_state
from posebus.messages import CameraMotion, Delivery, Renaming, Skipped
from posebus.views import View
from tests.samples import PROBES, PROVENANCE, end, event, frame, pose_frame, track_frame, uninferred

T = TypeVar("T")
Make = Callable[[random.Random], T]
BATCH = 25


def fuzz(make: Make[T], number: int, check: Callable[[T], None]) -> None:
    """Run `check` on `number` inputs; any error fails the test and shows the seed and the input.

    hypothesis draws the seeds and finds a failing one again; making an input by its own draws takes fifty times
    as long.
    """

    @settings(max_examples=max(1, number // BATCH), deadline=None, database=None, phases=[Phase.generate])
    @given(st.integers(0, 2**64 - 1))
    def run(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(BATCH):
            value = make(rng)
            try:
                check(value)
            except BaseException as error:
                error.add_note(f"for the input {value!r:.2000}")
                raise

    run()


def wire(fields: Fields) -> dict[bytes, bytes]:
    """Keys and values as Redis returns them: bytes."""
    return {
        key if isinstance(key, bytes) else key.encode(): value if isinstance(value, bytes) else str(value).encode()
        for key, value in fields.items()
    }


MOTION = CameraMotion(1, (1.01, 0.02, -30.5, -0.02, 1.01, 1e-7), 0.9)
FRAMES = [
    wire(encode_frame(frame(3), 7)),
    wire(encode_frame(frame(4, encoding="raw", data=bytes(12), image_size_px=(2, 2)), 7)),
    wire(encode_frame(frame(5, encoding="shared", data=b"door-1"), 7)),
    wire(encode_frame(frame(6, views=(View(640), View(1280, 2, 1))), 7)),
    wire(encode_frame(frame(7, camera_motion=MOTION), 7)),
    wire(encode_frame(end(7), 7)),
]
POSES = [
    wire(encode_poses(pose_frame(3), PROVENANCE, 7)),
    wire(encode_poses(pose_frame(4, people=0), PROVENANCE, 7)),
    wire(encode_poses(pose_frame(5, keypoints_px=None), PROVENANCE, 7)),
    wire(encode_poses(pose_frame(5, probes=PROBES), replace(PROVENANCE, view=View(640)), 7)),
    wire(encode_poses(uninferred(6), None, 7)),
    wire(encode_poses(replace(uninferred(6), camera_motion=MOTION), None, 7)),
    wire(encode_poses(pose_frame(6, masks=(np.ones((9, 2), np.float32), np.ones((0, 2), np.float32))), PROVENANCE, 7)),
    wire(encode_poses(Skipped("door", 1, 6, 5, Delivery.LIVE, "too old"), None, 7)),
    wire(encode_poses(end(7), None, 7)),
]
TRACKS = [
    track_frame_to_json(track_frame(3), PROVENANCE, 7),
    track_frame_to_json(track_frame(4, ids=()), PROVENANCE, 7),
    track_frame_to_json(replace(track_frame(5), renamed=(Renaming(1, 2, 4), Renaming(2, 1, 3))), PROVENANCE, 7),
]
EVENTS = [event_to_json(event(3)), event_to_json(event(4, kind="posebus.camera.gap"))]

NUMBERS = (
    b"0",
    b"1",
    b"-1",
    b"1e9",
    b"NaN",
    b"inf",
    b"9" * 19,
    b"9" * 20,
    b"9" * 5000,
    b"18446744073709551616",
    b"0x10",
)
BYTES = (
    *NUMBERS,
    *(b"", b" ", b"\x00", b"\xff", b"\xed\xa0\x80", b"../../etc/passwd", b"a" * 5000, b"65535x65535", b"0x0", b"1x"),
    *("١٢".encode(), "²".encode(), "１".encode(), b"poses", b"end", b"skipped", b"frame", b"live", b"shared", b"raw"),
    *(b"\x00\x00\xc0\x7f" * 4, b"\xff\xff\x7f\x7f" * 8, b"\x00\x00\x80\xff" * 4, bytes(4), bytes(16), bytes(5000)),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 3.7, 10**18, 2**63, -(2**63), 10**30, float("inf"), float("-inf"), float("nan")),
    *("", "x", "\ud800", "\x00", "1", "a" * 10_000, "confirmed", "2026-01-01T00:00:00Z"),
    *([], {}, [[]], [1], [None] * 17, [[1, 2, 3]] * 17, [[1e39, 0, 0]] * 17, [[1], [1, 2]], {"data": 1}, {"": {}}),
)


def fields(valid: list[dict[bytes, bytes]]) -> Make[dict[bytes, bytes]]:
    """Fields of a stream entry: a valid one with a few of them changed, removed, added or exchanged; or any."""

    def make(rng: random.Random) -> dict[bytes, bytes]:
        if rng.random() < 0.05:
            return {
                rng.randbytes(rng.randrange(12)): rng.randbytes(rng.randrange(40)) for _ in range(rng.randrange(80))
            }
        raw = dict(rng.choice(valid))
        for _ in range(rng.randint(1, 4)):
            names = sorted(raw) or [b"v"]
            name, other = rng.choice(names), rng.choice(names)
            kind = rng.randrange(6)
            if kind == 0:
                raw.pop(name, None)
            elif kind == 1:
                raw[rng.randbytes(rng.randrange(20))] = rng.choice(BYTES)
            elif kind == 2:
                raw[name], raw[other] = raw.get(other, b""), raw.get(name, b"")
            elif kind == 3:
                raw[name] = damaged(rng, raw.get(name, b""))
            elif kind == 4:
                raw[name] = rng.randbytes(rng.randrange(60))
            else:
                raw[name] = rng.choice(BYTES)
        return raw

    return make


def damaged(rng: random.Random, data: bytes) -> bytes:
    """`data` with some bytes changed, cut off, doubled or inserted."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(changed))
        kind = rng.randrange(5)
        if kind == 0 and at < len(changed):
            changed[at] = rng.randrange(256)
        elif kind == 1:
            del changed[at : at + rng.randint(1, 200)]
        elif kind == 2:
            changed[at:at] = rng.randbytes(rng.randrange(16))
        elif kind == 3:
            changed[at:at] = changed[at : at + 64]
        elif at < len(changed):
            changed[at : at + 2] = rng.choice((b"\xff\xff", b"\x00\x00", b"\xff\xc0", b"\x7f\xff"))
    return bytes(changed)


def json_text(valid: list[dict[str, Any]]) -> Make[bytes]:
    """JSON: a valid message with a few values changed, removed or added anywhere in it; damaged text; or very deep."""

    def make(rng: random.Random) -> bytes:
        kind = rng.random()
        if kind < 0.05:
            deep = rng.randint(1, 3000)
            return b"[" * deep + b"]" * rng.choice((0, deep))
        message = copy.deepcopy(rng.choice(valid))
        if kind < 0.15:
            return damaged(rng, json.dumps(message).encode())
        for _ in range(rng.randint(1, 4)):
            change(rng, message)
        return json.dumps(message).encode()

    return make


def change(rng: random.Random, node: Any) -> None:
    """Replace or remove one value anywhere in `node`."""
    while isinstance(node, (dict, list)) and node:
        key = rng.choice(sorted(node) if isinstance(node, dict) else range(len(node)))
        if not isinstance(node[key], (dict, list)) or not node[key] or rng.random() < 0.5:
            if rng.random() < 0.25:
                del node[key]
            else:
                node[key] = copy.deepcopy(rng.choice(VALUES))
            return
        node = node[key]


def snapshots(states: list[dict[str, Any]]) -> Make[bytes]:
    """Snapshots with bytes changed, and headers that name arrays that are missing."""
    packed = [pack_state(state) for state in states]

    def make(rng: random.Random) -> bytes:
        if rng.random() < 0.6:
            return damaged(rng, rng.choice(packed))
        shape = [rng.choice((0, 1, -1, 2**31, 2**62, 2**64, 1.5, "x", None, [])) for _ in range(rng.randrange(5))]
        header = json.dumps(
            {"a": {"__array__": [rng.choice(("<f4", "<f8", "|b1", "O", "V9", 3, None)), shape]}}
        ).encode()
        return b"PBS1" + len(header).to_bytes(8, "little") + header + rng.randbytes(rng.randrange(40))

    return make
