"""Processes of every kind are killed during a lossless run, which has the results of an undisturbed run."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import posebus
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.fleet import Fleet
from recordings.stages import STAGES
from tests.clips import head
from tests.faults.lossless_run import Killer, Public, lossless_settings, run

ROLES = ("ingest", "worker", "tracker")
CLIPS = {"stadtmitte": "TUD-Stadtmitte.mp4", "one-by-one": "one-by-one-person-detection.mp4", "vtest": "vtest.avi"}
KILLS, THOROUGH_KILLS = 10, 500
GAP_S = 0.8
"""The average time between two kills. A worker needs two seconds to start: with less, none would finish a frame."""
FRAMES = 75
"""Frames of each clip, in the short version."""


@pytest.fixture(scope="module")
def clips(shared_data: Path, tmp_path_factory: pytest.TempPathFactory, thorough: bool) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    whole = {camera: shared_data / name for camera, name in CLIPS.items()}
    return whole if thorough else {c: head(path, FRAMES, folder / path.name) for c, path in whole.items()}


@pytest.fixture(scope="module")
def calm(clips: dict[str, Path]) -> Public:
    return run(clips, workers=2, trackers=1)


def same(disturbed: Public, calm: Public) -> None:
    """Every message of every camera, in order."""
    for camera in calm.tracks:
        seqs = [frame["seq"] for frame in disturbed.tracks[camera]]
        assert seqs == [frame["seq"] for frame in calm.tracks[camera]], f"{camera}: frames lost or twice"
        assert disturbed.tracks[camera] == calm.tracks[camera]
        assert disturbed.events[camera] == calm.events[camera]


def test_undisturbed_run_has_every_frame_once_and_in_order(calm: Public, clips: dict[str, Path]) -> None:
    assert set(calm.tracks) == set(clips)
    for camera, frames in calm.tracks.items():
        assert [frame["seq"] for frame in frames] == list(range(len(frames)))
        events = calm.events[camera]
        assert len({event["id"] for event in events}) == len(events)
        assert events[0]["type"] == posebus.EventType.CAMERA_ONLINE
        assert events[-1]["data"]["frames"] == len(frames) >= FRAMES - 3
        kinds = [event["type"] for event in events]
        assert kinds.count(posebus.EventType.TRACK_STARTED) == kinds.count(posebus.EventType.TRACK_ENDED)
        assert kinds.count(posebus.EventType.ZONE_ENTERED) == kinds.count(posebus.EventType.ZONE_LEFT)
        assert sum("happening" in event["data"] for event in events) > 2, f"{camera}: nothing happened by its rules"
    assert sum(len(events) for events in calm.events.values()) > 20


@pytest.mark.timeout(3600)  # the long version
def test_killing_processes_of_every_kind_changes_nothing(
    calm: Public, clips: dict[str, Path], thorough: bool, record_property: Any
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)
    wanted = THOROUGH_KILLS if thorough else KILLS
    kills, runs = 0, 0
    while kills < wanted:
        killer = Killer(rng, wanted - kills, GAP_S, ROLES)
        same(run(clips, workers=3, trackers=2, disturb=killer), calm)
        kills += killer.kills.total()
        runs += 1
        print(f"run {runs}: {dict(killer.kills)}, no difference")  # noqa: T201
        assert killer.kills.total() > 0
    record_property("kills", kills)


def test_decisions_of_policies_are_the_same_through_kills(clips: dict[str, Path], thorough: bool) -> None:
    """Sizes, rates and the motion gate depend on the pictures and never on the time of processing."""
    policies = {"imgsz": "auto", "imgsz_max": 512, "infer_fps": "auto", "motion_gate": "eager"}
    chosen = {camera: clips[camera] for camera in ("stadtmitte", "one-by-one")}
    calm = run(chosen, workers=1, trackers=1, policies=policies)
    frames = [frame for found in calm.tracks.values() for frame in found]
    assert 0 < sum(frame["inferred"] for frame in frames) < 0.7 * len(frames)
    killer = Killer(random.Random(), THOROUGH_KILLS if thorough else KILLS // 2, GAP_S, ROLES)
    same(run(chosen, workers=2, trackers=2, disturb=killer, policies=policies), calm)
    assert killer.kills.total() > 0


def test_processes_that_were_stopped_longer_than_their_leases_change_nothing(
    calm: Public, clips: dict[str, Path]
) -> None:
    """They are stopped for longer than the lease, and continued after the successor has started."""
    sleepers: list[Any] = []

    def freeze(fleet: Fleet, seen: int) -> None:
        if seen >= 100 and not sleepers:
            # Only the broker knows which of the two trackers owns a camera: stop both, continue one, then the other.
            roles = ("tracker", "ingest-stadtmitte", "worker-1")
            sleepers.extend(c.process for name, c in fleet.processes.children.items() if name.startswith(roles))
            # The same camera once more, as on a second host: it stands by, and takes over.
            spec = fleet.processes.children["ingest-stadtmitte"].spec
            fleet.processes.start(spec.__class__("ingest-standby", spec.argv, spec.env))
            for process in sleepers:
                process.send_signal(signal.SIGSTOP)
            for process in sleepers:
                time.sleep(1.5)
                process.send_signal(signal.SIGCONT)

    same(run(clips, workers=2, trackers=2, disturb=freeze), calm)
    assert len(sleepers) == 4


def test_sigterm_leaves_nothing_behind(clips: dict[str, Path]) -> None:
    with EmbeddedBroker() as url:
        broker = open_broker(url)
        with Fleet(lossless_settings(clips, 1, 1, redis=url), broker, STAGES) as fleet:
            fleet.start_trackers()
            fleet.start_workers()
            fleet.wait_until_ready()
            processes = [child.process for child in fleet.processes.children.values()]
        assert [process.returncode for process in processes] == [0, 0]
        assert Registry(broker).processes() == {}
