"""The evidence process on real brokers: snapshots of the right frames, once each, and failures that are counted."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import posebus
from evidence.process import GROUP
from evidence.stage import PATIENCE_S, EvidenceStage
from evidence.stores import BrokerStore, FolderStore, SnapshotStore
from posebus.bus.evidence.snapshots import read_snapshot
from posebus.bus.redis.connection import Broker
from posebus.config.cameras.evidence import SnapshotSettings
from posebus.contract.evidence import dataref
from posebus.contract.public_json import event_fields
from posebus.subscribing.subscriber import Subscription
from posebus.subscribing.subscription import StreamSelection
from posebus.topology import Topology
from tests.contract.conftest import client_of
from tests.evidence_camera import STEPS, EvidenceCamera, shown_frame
from tests.samples import event

KEPT = SnapshotSettings()


@pytest.fixture
def broker(real_url: str) -> Broker:
    return Broker(client_of(real_url), Topology(), "test")


class Process:
    """The stage with its group, and a clock that only this test moves."""

    def __init__(self, broker: Broker, url: str, store: SnapshotStore | None = None) -> None:
        streams = StreamSelection(None, ("events",), "start", Topology(), GROUP)
        reader = Broker(client_of(url), Topology(), "test")
        events = Subscription(reader, streams, "me", outage_limit_s=0.0, resume_own=True)
        self.stage = EvidenceStage(broker, events, store or BrokerStore(broker, KEPT))
        self.now_s = 100.0

    def steps(self, number: int = 3) -> None:
        for _ in range(number):
            self.stage.step(self.now_s)

    def counts(self) -> dict[str, int]:
        return {row[0]: row[1] for row in self.stage.report().metrics.get("posebus_snapshots_total", [])}


def test_a_snapshot_shows_picture_and_skeleton_of_one_frame(broker: Broker, real_url: str) -> None:
    camera = EvidenceCamera(broker)
    for seq in range(40):
        camera.frame(seq, picture=seq % 4 == 0, event=seq in (8, 21, 30))
    process = Process(broker, real_url)
    process.steps()
    assert process.counts() == {"stored": 3}
    # Frame 21 has no picture, and 20 is the nearest one that has; 30 is as near to 28 as to 32.
    for seq, expected in ((8, {8}), (21, {20}), (30, {28, 32})):
        jpeg = posebus.evidence(dataref("door", 1, seq), real_url)
        assert jpeg is not None
        picture, skeleton = shown_frame(jpeg)
        assert picture in expected
        assert skeleton == picture % STEPS
        comment = json.loads(jpeg[6 : 4 + int.from_bytes(jpeg[4:6], "big")])
        assert comment == {"camera": "door", "epoch": 1, "seq": picture, "captured_at_ns": picture * 100_000_000}
    assert posebus.evidence(dataref("door", 1, 9), real_url) is None
    assert process.stage.report().does == "3 snapshots"


def test_tracks_of_another_epoch_are_never_drawn(broker: Broker, real_url: str) -> None:
    before, after = EvidenceCamera(broker, epoch=1), EvidenceCamera(broker, epoch=2)
    before.frame(5)
    after.frame(5, tracks=False)
    after.frame(6, picture=False, event=True)
    process = Process(broker, real_url)
    process.steps()
    process.now_s += PATIENCE_S
    process.steps()
    assert process.counts() == {"no_tracks": 1}


def test_pictures_of_dropped_frames_are_passed_over(broker: Broker, real_url: str) -> None:
    camera = EvidenceCamera(broker)
    for seq in range(12):
        camera.frame(seq, picture=seq % 2 == 0, tracks=seq in (0, 5, 11), event=seq == 5)
    process = Process(broker, real_url)
    process.steps()
    assert process.counts() == {"stored": 1}
    assert shown_frame(read_snapshot(broker, "door", (1, 5)) or b"") == (0, 0)


def test_several_events_of_a_frame_have_one_snapshot(broker: Broker, real_url: str) -> None:
    camera = EvidenceCamera(broker)
    camera.frame(3, event=True)
    camera.frame(3, tracks=False, picture=False, event=True)
    process = Process(broker, real_url)
    process.steps()
    camera.frame(3, tracks=False, picture=False, event=True)
    process.steps()
    assert process.counts() == {"stored": 1, "known": 1}
    assert broker.client.xlen(broker.topology.snapshots("door")) == 1
    pending: Any = broker.client.xpending(broker.topology.events(0), GROUP)
    assert pending["pending"] == 0


@pytest.mark.parametrize("kept", [False, True])
def test_a_picture_that_left_the_ring_is_a_failure_that_is_seen(
    broker: Broker, real_url: str, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    camera = EvidenceCamera(broker)
    for seq in (0, 20, 31):  # the nearest picture is more than a second away
        camera.frame(seq, picture=kept and seq != 20, event=seq == 20)
    process = Process(broker, real_url)
    process.steps()
    assert process.counts() == {}  # it may still be on its way
    process.now_s += PATIENCE_S
    process.steps()
    assert process.counts() == {"no_picture": 1}
    assert process.stage.report().does == "0 snapshots; 1 missing: the picture had left the ring"
    event = "door/1/20/posebus.line.crossed/gate/7"
    said = f"camera door: the event {event} has no snapshot: the picture had left the ring (1 so far)"
    assert [record.getMessage() for record in caplog.records] == [said]


def test_a_picture_that_comes_late_is_waited_for(broker: Broker, real_url: str) -> None:
    camera = EvidenceCamera(broker)
    camera.frame(4, picture=False, event=True)
    process = Process(broker, real_url)
    process.steps()
    camera.picture(4)
    camera.frame(5, event=True)
    process.now_s += PATIENCE_S / 2
    process.steps()
    assert process.counts() == {"stored": 2}
    assert shown_frame(read_snapshot(broker, "door", (1, 4)) or b"") == (4, 4)


def test_events_without_evidence_and_broken_references_are_passed_over(broker: Broker, real_url: str) -> None:
    EvidenceCamera(broker).frame(1)
    of_track = event(1)
    foreign = replace(event(1), data={"rule": "gate"}, dataref="https://example.org/1")
    for one in (of_track, foreign):
        broker.client.xadd(broker.topology.events(0), event_fields(one))
    process = Process(broker, real_url)
    process.steps()
    assert process.counts() == {}
    pending: Any = broker.client.xpending(broker.topology.events(0), GROUP)
    assert pending["pending"] == 0


def test_a_full_disk_is_counted_and_said_once_and_later_snapshots_are_written(
    broker: Broker, real_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    camera = EvidenceCamera(broker)
    process = Process(broker, real_url, FolderStore(tmp_path, KEPT))
    written = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        written(path, content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for seq in (1, 2):
        camera.frame(seq, event=True)
    process.steps()
    assert process.counts() == {"not_written": 2}
    monkeypatch.undo()
    camera.frame(3, event=True)
    process.steps()
    assert process.counts() == {"not_written": 2, "stored": 1}
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == ["door/1-3.jpg"]
    assert shown_frame(posebus.evidence(dataref("door", 1, 3), folder=tmp_path) or b"") == (3, 3)
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert said == [f"{tmp_path / 'door' / '1-1.jpg'} cannot be written: No space left on device"]
