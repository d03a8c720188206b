"""A camera's lease, fence and checkpoint between competing ingest processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import redis

from posebus.bus.checkpoint import ENDED, OPEN, Checkpoint
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.plan_store import queue_plan
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, process_id
from posebus.config.policies import Policies
from posebus.contract.codec import decode_poses
from posebus.contract.plan import Directive, Plan
from posebus.errors import LeaseLost
from posebus.messages import Delivery
from posebus.topology import Topology
from posebus.views import View
from tests.contract.conftest import MakeClient, client_of
from tests.polling import wait_until
from tests.samples import BEGUN, event, frame, held_writer, uninferred

TOPOLOGY = Topology()
CAMERA = "door"


def broker(client: redis.Redis) -> Broker:
    return Broker(client, TOPOLOGY, "the broker of the test")


def writer(client: redis.Redis, lease_s: float = 60.0, delivery: Delivery = Delivery.LOSSLESS) -> FrameProducer:
    """A producer that does not hold its lease yet."""
    lease = Lease(broker(client), CAMERA, "ingest", process_id("ingest"), lease_s)
    return FrameProducer(broker(client), CameraRecord(CAMERA, delivery, "file"), lease, events_kept=100)


def behind(seq: int, state: str = OPEN) -> Checkpoint:
    return Checkpoint(1, seq, 40 * seq, state, "run", "source", (seq, 7), 640)


def everything(client: redis.Redis) -> tuple[object, ...]:
    """Everything that ingest writes."""
    streams = [TOPOLOGY.frames(CAMERA), TOPOLOGY.poses(CAMERA), TOPOLOGY.events(0)]
    hashes = [TOPOLOGY.checkpoint(CAMERA), TOPOLOGY.cameras(0)]
    return (
        *(client.xrange(key) for key in streams),
        *(client.hgetall(key) for key in hashes),
        client.get(TOPOLOGY.epoch(CAMERA)),
    )


def test_one_process_holds_the_camera_until_the_next_takes_over(make_client: MakeClient) -> None:
    client = make_client()
    first, second = writer(client), writer(client)
    token = first.hold()
    assert token > 0
    assert first.hold() == token
    assert second.hold() == 0
    first.release()
    assert second.hold() > token
    assert first.hold() in (0, token), "it may believe so until it asks"
    with pytest.raises(LeaseLost) as caught:
        first.publish(frame(0))
    assert caught.value.camera == "door"
    assert first.hold() == 0


def test_the_backlog_is_as_old_as_its_oldest_frame_that_is_not_committed(make_client: MakeClient) -> None:
    client = make_client()
    camera = held_writer(broker(client), CameraRecord(CAMERA, Delivery.LIVE, "file"))
    assert camera.backlog().oldest_sent_at_s is None
    sent_at_s = [time.monotonic()]
    for seq in range(3):
        camera.publish(frame(seq, delivery=Delivery.LIVE))
        sent_at_s.append(time.monotonic())
    for index, (entry, _) in enumerate(client.xrange(TOPOLOGY.frames(CAMERA))):
        oldest_s = camera.backlog().oldest_sent_at_s
        assert oldest_s is not None
        assert sent_at_s[index] <= oldest_s <= sent_at_s[index + 1]
        client.xdel(TOPOLOGY.frames(CAMERA), entry)
    assert camera.backlog().oldest_sent_at_s is None


def test_a_process_cannot_write_after_its_successor_has_started(make_client: MakeClient) -> None:
    """A process that was stopped for longer than its lease continues."""
    client = make_client()
    sleeper = held_writer(broker(client), CameraRecord(CAMERA, Delivery.LIVE, "file"))
    for seq in range(3):
        sleeper.publish(frame(seq, delivery=Delivery.LIVE), [event()], behind(seq + 1))
    client.delete(TOPOLOGY.lease(CAMERA, "ingest"))  # it ran out
    successor = writer(client)
    assert successor.hold()
    before = everything(client)
    for write in (
        lambda: sleeper.publish(frame(3, delivery=Delivery.LIVE), [event()], behind(4)),
        lambda: sleeper.publish(None, [event()], behind(4)),
        lambda: sleeper.publish(uninferred(3, delivery=Delivery.LIVE), [event()], behind(4)),
        lambda: sleeper.skip_oldest(1),
        lambda: sleeper.open_epoch(BEGUN),
    ):
        with pytest.raises(LeaseLost, match="another ingest process has camera door"):
            write()
        assert everything(client) == before
    sleeper.release()
    assert successor.hold(), "a lease that is not ours is not given back"
    assert client.get(TOPOLOGY.lease(CAMERA, "ingest")) is not None


def test_a_worker_that_waits_never_sees_a_frame_that_was_refused(real_url: str) -> None:
    client = client_of(real_url)
    sleeper = held_writer(broker(client), CameraRecord(CAMERA, Delivery.LOSSLESS, "file"))
    client.set(TOPOLOGY.lease(CAMERA, "ingest"), "another:99")
    with ThreadPoolExecutor() as pool:
        seen = pool.submit(client_of(real_url).xreadgroup, "workers", "w", {TOPOLOGY.frames(CAMERA): ">"}, block=500)
        servers = open_broker(real_url).servers().values()
        wait_until(lambda: any(one.info("clients")["blocked_clients"] for one in servers), "a worker that waits")
        with pytest.raises(LeaseLost):
            sleeper.publish(frame(0))
        assert [entry for _, entries in seen.result() for entry in entries] == []


def test_a_repeated_call_publishes_nothing_twice(make_client: MakeClient) -> None:
    """The answer to a call was lost, or the process was killed before it arrived; the call is repeated."""
    client = make_client()
    out = held_writer(broker(client), CameraRecord(CAMERA, Delivery.LOSSLESS, "file"))
    out.publish(frame(0), [event()], behind(1))
    before = everything(client)
    backlog = out.publish(frame(0), [event()], behind(1))
    assert everything(client) == before
    assert (backlog.frames, backlog.frames_bytes) == (1, 1002)
    assert out.publish(frame(1), [], behind(2)).frames_bytes == 2 * 1002


def test_the_mark_of_an_uninferred_frame_goes_to_the_tracker_alone(make_client: MakeClient) -> None:
    client = make_client()
    out = held_writer(broker(client), CameraRecord(CAMERA, Delivery.LOSSLESS, "file"))
    out.publish(frame(0), [], behind(1))
    assert out.publish(uninferred(1), [], behind(2)).frames_bytes == 1002
    assert client.xlen(TOPOLOGY.frames(CAMERA)) == 1
    ((_, mark),) = client.xrange(TOPOLOGY.poses(CAMERA))
    body, _ = decode_poses(mark)
    assert body == replace(uninferred(1), published_at_ns=body.published_at_ns)
    out.publish(uninferred(1), [], behind(2))
    assert client.xlen(TOPOLOGY.poses(CAMERA)) == 1, "repeated, since the answer was lost"


def test_the_state_of_the_frame_selector_reaches_the_successor(make_client: MakeClient) -> None:
    client = make_client()
    out = held_writer(broker(client), CameraRecord(CAMERA, Delivery.LOSSLESS, "file"))
    remembered = replace(behind(1), attention=bytes(range(256)))
    out.publish(frame(0), [], remembered)
    assert out.checkpoint() == remembered


def test_the_state_of_the_motion_reaches_the_successor_and_its_picture_is_sent_only_when_it_changes(
    make_client: MakeClient,
) -> None:
    client = make_client()
    out = held_writer(broker(client), CameraRecord(CAMERA, Delivery.LOSSLESS, "file"))
    key = TOPOLOGY.checkpoint(CAMERA)
    moving = replace(behind(1), motion='{"shot":0}', motion_reference="first")
    out.publish(frame(0), [], moving)
    assert out.checkpoint() == moving
    client.hset(key, "motion_reference", "untouched")
    out.publish(frame(1), [], replace(behind(2), motion='{"shot":1}', motion_reference="first"))
    assert client.hmget(key, "motion", "motion_reference") == [b'{"shot":1}', b"untouched"]
    renewed = replace(behind(3), motion='{"shot":2}', motion_reference="second")
    out.publish(frame(2), [], renewed)
    assert out.checkpoint() == renewed
    out.open_epoch(BEGUN)
    assert client.hmget(key, "motion", "motion_reference") == [None, None]


def test_each_publication_returns_the_plan_if_a_policy_is_on(make_client: MakeClient) -> None:
    client = make_client()
    plan = Plan(1, 3, (Directive(1, 0, 0, View(416)),))
    queue_plan(client, TOPOLOGY.plan(CAMERA), plan, None)
    follows = CameraRecord(CAMERA, Delivery.LOSSLESS, "file", Policies(imgsz="auto"))
    out = held_writer(broker(client), follows)
    assert out.plan is None
    out.publish(uninferred(0), [], behind(1))
    assert out.plan == plan
    assert out.read_plan() == plan
    client.hset(TOPOLOGY.plan(CAMERA), "now", "nonsense")
    assert out.read_plan() is None


def test_an_epoch_whose_answer_was_lost_is_not_opened_twice(make_client: MakeClient) -> None:
    client = make_client()
    out = writer(client)
    out.hold()
    first = out.open_epoch(BEGUN)
    out._epochs_opened -= 1  # it never heard the answer
    out._epoch = 0
    assert out.open_epoch(BEGUN) == first
    assert out.open_epoch(BEGUN) == first + 1


def forget_everything(client: redis.Redis) -> None:
    client.flushall()


def restore_a_backup(client: redis.Redis) -> None:
    client.set(TOPOLOGY.epoch(CAMERA), 7)
    client.delete(TOPOLOGY.lease(CAMERA, "ingest"))


@pytest.mark.parametrize("lose", [forget_everything, restore_a_backup])
@pytest.mark.parametrize("same_process", [True, False])
def test_no_epoch_and_no_fencing_token_comes_twice_though_the_broker_lost_its_memory(
    make_client: MakeClient, lose: Callable[[redis.Redis], None], same_process: bool
) -> None:
    client = make_client()
    out = writer(client)
    token = out.hold()
    epochs = [out.open_epoch(BEGUN), out.open_epoch(BEGUN)]
    assert epochs[1] == epochs[0] + 1
    before = client.time()[0]
    lose(client)
    again = out if same_process else writer(client)
    again._held_until_s = -1e9
    assert again.hold() not in ({token} if same_process else {0})
    epochs += [again.open_epoch(BEGUN), again.open_epoch(BEGUN)]
    assert epochs == sorted(set(epochs))
    assert before * 1_000_000 <= epochs[2] < 2**53
    assert client.get(TOPOLOGY.epoch(CAMERA)) == str(epochs[-1]).encode()
    assert client.hget(TOPOLOGY.checkpoint(CAMERA), "epoch") == str(epochs[-1]).encode()


@pytest.mark.parametrize("state", [OPEN, ENDED])
def test_the_checkpoint_reaches_the_successor(make_client: MakeClient, state: str) -> None:
    client = make_client()
    out = held_writer(broker(client), CameraRecord(CAMERA, Delivery.LOSSLESS, "file"))
    assert out.checkpoint() == Checkpoint(1, 0, 0, OPEN, "", "")
    out.publish(frame(0), [], behind(1, state))
    assert writer(client).checkpoint() == behind(1, state)


def test_a_malformed_checkpoint_reads_as_none(make_client: MakeClient) -> None:
    client = make_client()
    out = writer(client)
    assert out.checkpoint() is None
    client.hset(TOPOLOGY.checkpoint(CAMERA), mapping={"epoch": "many", "seq": 1})
    assert out.checkpoint() is None


def test_a_lease_runs_out_and_every_write_prolongs_it(real_url: str) -> None:
    client = client_of(real_url)
    first, second = writer(client, lease_s=0.5), writer(client, lease_s=0.5)
    assert first.hold()
    first.open_epoch(BEGUN)
    for seq in range(8):
        time.sleep(0.1)
        first.publish(frame(seq))
        assert second.hold() == 0
    wait_until(second.hold, "the end of the lease")


def test_a_lease_that_the_brokers_clock_would_keep_for_an_hour_is_cut_short(real_url: str) -> None:
    client = client_of(real_url)
    writer(client).hold()
    client.pexpire(TOPOLOGY.lease(CAMERA, "ingest"), 3_600_000)  # what a clock that was set back does to a dead owner's
    assert writer(client, lease_s=2.0).hold() == 0
    assert client.pttl(TOPOLOGY.lease(CAMERA, "ingest")) <= 2000
