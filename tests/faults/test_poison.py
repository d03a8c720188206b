"""Pictures that crash workers, and workers that are killed: all other frames are tracked, once, and in time."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg

import posebus
from posebus.bus.reclaim import GONE, attempts_from_json
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.loading import dump_settings
from posebus.config.settings import Settings, WorkerSettings
from posebus.messages import Delivery
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.fleet import stage_process
from posebus.runtime.processes import ChildProcesses
from posebus.runtime.watchdog import Watchdog
from posebus.topology import WORKERS_GROUP
from recordings.stages import STAGES
from tests.faults.poisoned_worker import CYAN, MAGENTA, YELLOW
from tests.polling import wait_until
from tests.samples import end, frame, held_writer

SIZE_PX = (320, 240)
FRAMES = 48
MAX_DELIVERIES = 2
SCRIPT = Path(__file__).parent / "poisoned_worker.py"


class Bench:
    """Two workers whose engine fails on some colours, a tracker, and a camera that the test itself plays."""

    def __init__(self, url: str, folder: Path, **worker: Any) -> None:
        self.broker: Broker = open_broker(url)
        self.settings = Settings(
            redis=url,
            worker=WorkerSettings(imgsz=320, threads=1, max_deliveries=MAX_DELIVERIES, warm_up_px=(SIZE_PX,), **worker),
            log_level="error",
        )
        self.config = folder / "settings.yaml"
        dump_settings(self.settings, self.config)
        self.processes = ChildProcesses(restart_min_s=0.05, restart_max_s=0.5)
        self.watchdog = Watchdog(folder, stalled_after_s=4.0, from_first_sign=True)
        self.pids: set[int] = set()
        for name in ("worker-1", "worker-2"):
            spec = stage_process(name, self.settings, self.config, STAGES.worker)
            argv = [sys.executable, str(SCRIPT), *spec.argv[spec.argv.index("--config") :]]
            self.processes.start(self.watchdog.watched(replace(spec, argv=argv)))
        self.processes.start(stage_process("tracker-1", self.settings, self.config, STAGES.tracker))
        self.writer = held_writer(self.broker, CameraRecord("door", Delivery.LOSSLESS, "file"))

    def restart_crashed(self) -> None:
        """Restart processes as the supervisor of a deployment does."""
        now_s = time.monotonic()
        self.watchdog.check(self.processes.children, now_s)
        assert self.processes.restart_crashed(now_s) == []
        self.pids |= {child.process.pid for name, child in self.processes.children.items() if name.startswith("worker")}

    def until(self, condition: Callable[[], object], what: str) -> None:
        wait_until(condition, what, meanwhile=self.restart_crashed)

    def until_ready(self) -> None:
        """Wait until all running processes have reported; reports of ended ones count for some seconds too."""

        def ready() -> bool:
            reports = Registry(self.broker).processes().values()
            running = {child.process.pid for child in self.processes.children.values() if child.exit_code is None}
            return len(running) == 3 and running <= {report["pid"] for report in reports if report.get("ready")}

        self.until(ready, "two workers and a tracker")

    def publish(self, seq: int, picture: np.ndarray) -> bytes:
        data = simplejpeg.encode_jpeg(picture, 90, "RGB", "444")
        self.writer.publish(frame(seq, data=data, size_px=SIZE_PX, image_size_px=SIZE_PX))
        return data


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Parametrised by settings of the workers."""
    with EmbeddedBroker() as url:
        made = Bench(url, tmp_path, **request.param)
        with made.processes:
            made.until_ready()
            yield made


def noise(rng: np.random.Generator) -> np.ndarray:
    """A picture without people."""
    return np.repeat(np.repeat(rng.integers(0, 255, (24, 32, 3), np.uint8), 10, 0), 10, 1)


def plain(colour: tuple[int, int, int]) -> np.ndarray:
    return np.tile(np.array(colour, np.uint8), (SIZE_PX[1], SIZE_PX[0], 1))


def received(bench: Bench) -> tuple[list[int], list[posebus.Event]]:
    """The numbers of all frames in tracks, in order, and the events."""
    seqs, events = [], []
    with posebus.subscribe(bench.settings.redis, after="start") as subscription:
        while messages := list(subscription.poll(0.3)):
            for message in messages:
                if isinstance(message.body, posebus.TrackFrame):
                    seqs.append(message.body.seq)
                elif isinstance(message.body, posebus.Event):
                    events.append(message.body)
    return seqs, events


POISONS = {
    7: (MAGENTA, GONE),
    23: (CYAN, "it hung in the engine"),
    39: (YELLOW, GONE),
}
"""By the number of the frame: its colour, and the reason in its dead letter. Far apart, so that no worker holds two."""


@pytest.mark.parametrize("bench", [{"reclaim_after_s": 0.5, "hang_s": 2.0}], ids=[""], indirect=True)
def test_pictures_that_crash_workers_become_dead_letters_and_all_others_are_tracked(bench: Bench) -> None:
    """One crashes the process, one hangs, and one hangs in a way that the process cannot notice."""
    rng = np.random.default_rng(3)
    bench.restart_crashed()
    first = set(bench.pids)
    sent = {}
    for seq in range(FRAMES):
        colour = POISONS[seq][0] if seq in POISONS else None
        sent[seq] = bench.publish(seq, noise(rng) if colour is None else plain(colour))
    bench.writer.publish(end(FRAMES))
    topology, client = bench.broker.topology, bench.broker.client

    def tracked() -> bool:
        return not client.xlen(topology.frames("door")) and not client.xlen(topology.poses("door"))

    bench.until(tracked, "everything is answered and tracked")
    seqs, events = received(bench)
    assert seqs == [seq for seq in range(FRAMES) if seq not in POISONS]
    gaps = [event.data for event in events if event.type == posebus.EventType.CAMERA_GAP]
    assert sum(gap["skipped"] for gap in gaps) == len(POISONS)
    letters = {int(letter[b"seq"]): letter for _, letter in client.xrange(topology.dead(0))}
    assert sorted(letters) == sorted(POISONS)
    for seq, (_, outcome) in POISONS.items():
        attempts = attempts_from_json(letters[seq][b"dead_attempts"])
        assert len(attempts) == MAX_DELIVERIES
        assert all(attempt.outcome.startswith(outcome) for attempt in attempts)
        assert len({attempt.worker for attempt in attempts}) == MAX_DELIVERIES
        assert outcome.encode() in letters[seq][b"dead_reason"]
        assert letters[seq][b"data"] == sent[seq]
    # A hang names its frame at once; other frames are known only once they were alone, max_deliveries attempts later.
    bench.until_ready()
    deaths = len(POISONS) * MAX_DELIVERIES + 2
    bench.until(lambda: len(bench.pids - first) >= deaths, "all that went were started again")
    assert len(bench.pids - first) <= deaths + 2, "more than the pictures account for, and than a busy machine does"
    bench.until_ready()


@pytest.mark.parametrize("bench", [{}], ids=[""], indirect=True)
def test_frames_of_killed_workers_are_reclaimed_and_none_is_lost_or_dead_lettered(bench: Bench, thorough: bool) -> None:
    kills, seed = (25, random.randrange(10**6)) if thorough else (2, 7)
    sys.stdout.write(f"seed {seed}\n")
    rng, pictures = random.Random(seed), [noise(np.random.default_rng(n)) for n in range(8)]
    client, key = bench.broker.client, bench.broker.topology.frames("door")
    took_s: list[float] = []
    seq = 0

    def pending_of(pid: int) -> set[bytes]:
        rows = client.xpending_range(key, WORKERS_GROUP, "-", "+", 99)
        return {row["message_id"] for row in rows if b"-%d-" % pid in row["consumer"]}

    for _ in range(kills):
        bench.until_ready()
        held: set[bytes] = set()
        victim = bench.processes.children[rng.choice(["worker-1", "worker-2"])].process
        end_s = time.monotonic() + rng.uniform(0.2, 0.6)
        while time.monotonic() < end_s or not held:
            while client.xlen(key) < 12:
                bench.publish(seq, pictures[seq % len(pictures)])
                seq += 1
            held = pending_of(victim.pid)
        victim.kill()
        victim.wait()
        killed_at_s = time.monotonic()
        held = pending_of(victim.pid)
        bench.until(lambda held=held, pid=victim.pid: not held & pending_of(pid), "they are taken over")
        if held:
            took_s.append(time.monotonic() - killed_at_s)
    bench.writer.publish(end(seq))
    poses = bench.broker.topology.poses("door")
    bench.until(lambda: not client.xlen(key) and not client.xlen(poses), "everything is answered and tracked")
    seqs, events = received(bench)
    assert seqs == list(range(seq))
    assert client.xlen(bench.broker.topology.dead(0)) == 0
    assert not [event for event in events if event.type == posebus.EventType.CAMERA_GAP]
    if took_s:
        sys.stdout.write(f"taken over after {', '.join(f'{s:.2f}' for s in sorted(took_s))} s\n")
