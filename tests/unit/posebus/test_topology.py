"""Keys of one shard are in one slot of a Redis Cluster, and two cameras share no key of their own."""

from __future__ import annotations

import re
import zlib

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from posebus.config.settings import CAMERA_NAME_PATTERN
from posebus.topology import KEYS, Topology

names = st.from_regex(CAMERA_NAME_PATTERN, fullmatch=True)


@given(names, st.integers(1, 64))
def test_all_keys_of_a_camera_share_a_slot(camera: str, shards: int) -> None:
    topology = Topology(shards)
    shard = topology.shard(camera)
    keys = [*topology.of_camera(camera), topology.events(shard), topology.dead(shard), topology.cameras(shard)]
    assert len({key_slot(key.encode()) for key in keys}) == 1
    assert shard == zlib.crc32(camera.encode()) % shards


@given(names, names)
def test_keys_of_two_cameras_differ(one: str, other: str) -> None:
    topology = Topology(3)
    if one != other:
        assert not set(topology.of_camera(one)) & set(topology.of_camera(other))


def test_table_lists_every_kind_of_key() -> None:
    topology = Topology()
    used = [
        *topology.of_camera("door"),
        topology.events(0),
        topology.dead(0),
        topology.reclaim_lock(0),
        topology.cameras(0),
        topology.processes(),
        topology.snapshot("door", 1, 2),
        topology.deliveries(0, "hook"),
        topology.undelivered(0, "hook"),
        topology.delivering("hook"),
    ]
    kinds = {re.sub(r"posebus:\{0\}:", "", key).split(":")[0] for key in used}
    assert kinds == {row.kind for row in KEYS}
