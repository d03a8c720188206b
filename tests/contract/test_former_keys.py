"""Keys by their names of before 0.2: new workers read them, write the new names, and leave nothing behind."""

from __future__ import annotations

import time

import redis

from posebus.bus.former_keys import former_attempts, former_reclaim_lock
from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.reclaim import Attempt, attempts_from_json, attempts_to_json
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.messages import Delivery, Frame
from posebus.topology import Topology
from tests.contract.conftest import MakeClient
from tests.samples import PROVENANCE, frame, held_writer, pose_frame

TOPOLOGY = Topology()
ATTEMPTS, FORMER_ATTEMPTS = TOPOLOGY.attempts("door"), former_attempts(TOPOLOGY, "door")
EARLIER = Attempt("an older worker", 1, "it crashed")
LATER = Attempt("a worker", 2, "it hung")


def broker(client: redis.Redis) -> Broker:
    return Broker(client, TOPOLOGY, "test")


def suspect_of_an_older_worker(client: redis.Redis) -> bytes:
    """Publish a frame, let an older worker fail with it, and return its entry id."""
    held_writer(broker(client), CameraRecord("door", Delivery.LOSSLESS, "file")).publish(frame(0))
    (entry,) = FrameConsumer(broker(client), "older").read(["door"], 1, None)
    client.hset(FORMER_ATTEMPTS, entry.entry_id, attempts_to_json([EARLIER]))  # type: ignore[arg-type]
    time.sleep(0.01)  # an entry that was read in this millisecond is not idle yet
    return entry.entry_id


def reclaim(client: redis.Redis) -> tuple[FrameConsumer, FrameEntry]:
    consumer = FrameConsumer(broker(client), "newer")
    (entry,) = consumer.reclaim(["door"], 0, 1)
    return consumer, entry


def test_the_former_names_are_those_of_before_0_2() -> None:
    assert FORMER_ATTEMPTS == "posebus:{0}:suspects:door"
    assert former_reclaim_lock(TOPOLOGY, 0) == "posebus:{0}:turn"


def test_attempts_under_both_names_count_in_their_order(make_client: MakeClient) -> None:
    client = make_client()
    entry_id = suspect_of_an_older_worker(client)
    client.hset(ATTEMPTS, entry_id, attempts_to_json([LATER]))  # type: ignore[arg-type]
    _, entry = reclaim(client)
    assert entry.attempts == (EARLIER, LATER)


def test_recorded_attempts_move_to_the_new_name(make_client: MakeClient) -> None:
    client = make_client()
    entry_id = suspect_of_an_older_worker(client)
    consumer, entry = reclaim(client)
    consumer.note(entry, [*entry.attempts, LATER])
    assert attempts_from_json(client.hget(ATTEMPTS, entry_id)) == (EARLIER, LATER)  # type: ignore[arg-type]
    assert not client.exists(FORMER_ATTEMPTS)


def test_a_committed_frame_leaves_no_attempts_under_either_name(make_client: MakeClient) -> None:
    client = make_client()
    suspect_of_an_older_worker(client)
    consumer, entry = reclaim(client)
    assert isinstance(entry.body, Frame)
    consumer.commit([PoseResult(entry, pose_frame(0), PROVENANCE)])
    assert not client.exists(ATTEMPTS)
    assert not client.exists(FORMER_ATTEMPTS)


def test_frames_are_not_reclaimed_while_an_older_worker_does(make_client: MakeClient) -> None:
    client = make_client()
    suspect_of_an_older_worker(client)
    client.set(former_reclaim_lock(TOPOLOGY, 0), "older")
    assert FrameConsumer(broker(client), "newer").reclaim(["door"], 0, 1) == []
    client.delete(former_reclaim_lock(TOPOLOGY, 0), TOPOLOGY.reclaim_lock(0))
    assert len(FrameConsumer(broker(client), "newer").reclaim(["door"], 0, 1)) == 1


def test_a_removed_camera_leaves_no_key_under_a_former_name(make_client: MakeClient) -> None:
    client = make_client()
    suspect_of_an_older_worker(client)
    Registry(broker(client)).remove_camera("door")
    assert not client.exists(FORMER_ATTEMPTS)
