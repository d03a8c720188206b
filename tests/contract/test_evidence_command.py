"""`posebus evidence`: the snapshot of an event by its id or its reference, and a clip while the pictures are there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from typer.testing import CliRunner

from posebus.bus.evidence.snapshots import store_snapshot
from posebus.bus.redis.connection import Broker, open_broker
from posebus.contract.public_json import event_fields
from posebus.errors import ConfigError, SourceUnavailable
from posebus_cli.app import app
from tests.evidence_camera import STEPS, EvidenceCamera, shown_in

EVENT = "door/1/60/posebus.line.crossed/gate/7"


@pytest.fixture
def camera(redis_server: str) -> EvidenceCamera:
    broker = open_broker(redis_server)
    broker.client.flushall()
    camera = EvidenceCamera(broker)
    for seq in range(100):
        camera.frame(seq, picture=seq % 2 == 0, tracks=seq != 70, event=seq == 60)
    return camera


def run(broker: Broker, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["evidence", "--redis", broker.where, *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("event", [EVENT, "posebus-evidence:door/1/60"])
def test_the_snapshot_is_written_as_it_was_kept(camera: EvidenceCamera, tmp_path: Path, event: str) -> None:
    store_snapshot(camera.broker, "door", (1, 60), b"\xff\xd8 jpeg", keep_s=60.0, max_bytes=1_000_000)
    said = run(camera.broker, event, "--out", str(tmp_path / "new"))
    file = tmp_path / "new" / "door-1-60.jpg"
    assert file.read_bytes() == b"\xff\xd8 jpeg"
    assert said == f"snapshot: {file}\n"


def test_a_clip_shows_the_pictures_around_the_event_with_their_own_skeletons(
    camera: EvidenceCamera, tmp_path: Path
) -> None:
    said = json.loads(run(camera.broker, EVENT, "--clip", "--seconds", "2", "--out", str(tmp_path), "--json"))
    expected = [seq for seq in range(40, 81, 2) if seq != 70]  # the tracks of 70 are not known, nor where heads are
    assert said["clip"] == {
        "file": str(tmp_path / "door-1-60.mp4"),
        "pictures": 20,
        "from_s": -2.0,
        "to_s": 2.0,
        "left_out": 1,
    }
    with av.open(said["clip"]["file"]) as video:
        frames = [(float(frame.time or 0), frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)]
    assert [round(time_s, 2) for time_s, _ in frames] == [(seq - 40) / 10 for seq in expected]
    assert [shown_in(image) for _, image in frames] == [(seq, seq % STEPS) for seq in expected]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["door/1/61/posebus.line.crossed/gate/7"], "no snapshot of frame 61 of camera door: its picture had left the"),
        (["door/9/61/posebus.line.crossed/gate/7", "--clip"], "frame 61 of camera door are not in the ring"),
        (["door/1/200/posebus.line.crossed/gate/7", "--clip"], "frame 200 of camera door are not in the ring"),
        (["yard/1/1/posebus.line.crossed/gate/7", "--clip"], "camera yard are not in the ring"),
    ],
)
def test_what_is_gone_is_one_sentence(
    camera: EvidenceCamera, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    with pytest.raises(SourceUnavailable, match=problem):
        run(camera.broker, *arguments, "--out", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_is_mentioned_also_when_the_pictures_of_the_clip_are_gone(
    camera: EvidenceCamera, tmp_path: Path
) -> None:
    store_snapshot(camera.broker, "door", (1, 500), b"\xff\xd8 jpeg", keep_s=60.0, max_bytes=1_000_000)
    gone = ["evidence", "--redis", camera.broker.where, "posebus-evidence:door/1/500", "--clip", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, gone)
    assert isinstance(done.exception, SourceUnavailable)
    assert done.stdout == f"snapshot: {tmp_path / 'door-1-500.jpg'}\n"


@pytest.mark.parametrize("event", ["7", "posebus-evidence:door", "door/x/1/posebus.line.crossed"])
def test_what_is_no_event_is_one_sentence(camera: EvidenceCamera, tmp_path: Path, event: str) -> None:
    with pytest.raises(ConfigError, match="EVENT is not known: "):
        run(camera.broker, event, "--out", str(tmp_path))


def test_the_reference_of_an_event_counts_and_not_its_own_frame(camera: EvidenceCamera, tmp_path: Path) -> None:
    finished = replace(camera.event(90), id="door/1/90/posebus.track.finished/7", dataref="posebus-evidence:door/1/44")
    camera.broker.client.xadd(camera.broker.topology.events(0), event_fields(finished))
    said: Any = json.loads(run(camera.broker, finished.id, "--clip", "--out", str(tmp_path), "--json"))
    assert (said["seq"], said["clip"]["from_s"], said["clip"]["to_s"]) == (44, -4.4, 5.0)
