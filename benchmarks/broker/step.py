"""One step of `benchmarks.broker`: so many cameras at such a rate, for some seconds, and what came of it."""

from __future__ import annotations

import contextlib
import math
import multiprocessing as mp
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.broker import load
from benchmarks.broker.capacity import Step, percentile
from benchmarks.broker.script import Script
from benchmarks.broker.servers import Usage, commands_between, usage
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry

START_TIMEOUT_S = 60.0
FINISH_TIMEOUT_S = 20.0
SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Setting:
    """What all steps of a run have in common; the numbers of processes are for each server."""

    server: str
    urls: Sequence[str]
    shards: int
    writers: int
    workers: int
    trackers: int
    slots: int
    inference_s: float
    warm_up_s: float
    seconds: float


class Process:
    """One of the load's processes, as the parent holds it."""

    def __init__(self, job: load.Job, script: Script, phase: Any) -> None:
        context = mp.get_context("spawn")
        self.job = job
        self._values = context.RawArray("d", len(load.FIELDS))
        self._answer, theirs = context.Pipe(duplex=False)
        arguments = (job, script, phase, self._values, theirs)
        self._process = context.Process(target=load.run, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def value(self, name: str) -> float:
        return float(self._values[load.FIELDS.index(name)])

    def wait_ready(self) -> None:
        """Until it could begin; SystemExit with its reason if it could not."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self.value("ready"):
            if self._answer.poll(0.01):
                self.result()
            if time.monotonic() > deadline_s:
                raise SystemExit(f"a simulated {self.job.role} was not ready in {START_TIMEOUT_S:.0f} s")

    def result(self) -> list[tuple[float, float, float]]:
        """What it sent at its end; SystemExit if that is an error, or nothing."""
        try:
            answer = self._answer.recv() if self._answer.poll(FINISH_TIMEOUT_S) else "a process of the load hangs"
        except EOFError:
            answer = f"a simulated {self.job.role} died; what it wrote is above"
        if isinstance(answer, str):
            raise SystemExit(answer)
        return list(answer)

    def end(self) -> None:
        self._process.join(1.0)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def run_step(setting: Setting, script: Script, cameras: int, fps: float) -> Step:
    """Measure `cameras` cameras that publish `fps` pictures a second each, spread over the servers."""
    names = [f"bench-{number:05}" for number in range(cameras)]
    parts = {url: names[place :: len(setting.urls)] for place, url in enumerate(setting.urls) if names[place:]}
    brokers = {url: open_broker(url, setting.shards) for url in parts}
    try:
        with _processes(setting, script, parts, fps) as (phase, processes):
            return _measure(setting, script, (cameras, fps), (brokers, parts), (phase, processes))
    finally:
        for url, broker in brokers.items():
            _clean(broker, parts[url])


@contextlib.contextmanager
def _processes(
    setting: Setting, script: Script, parts: dict[str, list[str]], fps: float
) -> Iterator[tuple[Any, list[Process]]]:
    phase = mp.get_context("spawn").RawValue("i", load.SET_UP)
    started: list[Process] = []
    try:
        # Cameras first: workers and trackers find everything announced.
        for roles in ({"writer": setting.writers}, {"worker": setting.workers, "tracker": setting.trackers}):
            fresh = [
                Process(job, script, phase)
                for role, count in roles.items()
                for url, names in parts.items()
                for job in _jobs(setting, role, (url, names), min(count, len(names)), fps)
            ]
            started += fresh
            for process in fresh:
                process.wait_ready()
        yield phase, started
    finally:
        phase.value = load.LEAVE
        for process in started:
            process.end()


def _jobs(setting: Setting, role: str, place: tuple[str, list[str]], count: int, fps: float) -> Iterator[load.Job]:
    url, names = place
    for number in range(count):
        # Any worker takes any camera; writers and trackers have theirs.
        own = tuple(names if role == "worker" else names[number::count])
        yield load.Job(role, url, setting.shards, own, fps, number, count, setting.slots, setting.inference_s)


def _measure(
    setting: Setting,
    script: Script,
    rate: tuple[int, float],
    servers: tuple[dict[str, Broker], dict[str, list[str]]],
    running: tuple[Any, list[Process]],
) -> Step:
    (cameras, fps), (brokers, parts), (phase, processes) = rate, servers, running
    phase.value = load.PUBLISH
    time.sleep(setting.warm_up_s)
    backlog_begin = sum(_backlog(broker, parts[url]) for url, broker in brokers.items())
    before, counts_before, cpu_before = _usages(brokers), _counts(processes), _cpu_s(processes)
    begin_s, begin_ns = time.monotonic(), next(iter(brokers.values())).now_ns()
    memory_bytes = 0
    while (left_s := begin_s + setting.seconds - time.monotonic()) > 0:
        time.sleep(min(left_s, SAMPLE_S))
        memory_bytes = max(memory_bytes, sum(map(_memory_bytes, brokers.values())))
    after, counts_after, cpu_after = _usages(brokers), _counts(processes), _cpu_s(processes)
    seconds, end_ns = time.monotonic() - begin_s, next(iter(brokers.values())).now_ns()
    backlog_end = sum(_backlog(broker, parts[url]) for url, broker in brokers.items())
    phase.value = load.FINISH
    totals = _finish(processes)
    phase.value = load.LEAVE
    ages = [row for process in processes for row in process.result() if begin_ns <= row[0] < end_ns]
    grown = {name: int(counts_after[name] - counts_before[name]) for name in counts_after}
    commands: dict[str, tuple[int, int]] = {}
    for one, other in zip(before, after, strict=True):
        for name, (calls, usec) in commands_between(one, other).items():
            commands[name] = (commands.get(name, (0, 0))[0] + calls, commands.get(name, (0, 0))[1] + usec)
    pairs = list(zip(before, after, strict=True))
    return Step(
        server=setting.server,
        servers=len(brokers),
        shards=setting.shards,
        cameras=cameras,
        fps=fps,
        seconds=seconds,
        published=grown["published"],
        poses=grown["poses"],
        tracks=grown["tracks"],
        skipped=grown["skipped"],
        published_total=int(totals["published"]),
        tracks_total=int(totals["tracks"]),
        skipped_total=int(totals["skipped"]),
        jpeg_bytes=script.jpeg_bytes,
        backlog_begin=backlog_begin,
        backlog_end=backlog_end,
        poses_age_ms=_ages([poses_ms for _, poses_ms, _ in ages]),
        tracks_age_ms=_ages([tracks_ms for _, _, tracks_ms in ages]),
        broker_cpu_s=sum(other.command_thread_s - one.command_thread_s for one, other in pairs),
        process_cpu_s=sum(other.process_s - one.process_s for one, other in pairs),
        in_bytes=sum(other.in_bytes - one.in_bytes for one, other in pairs),
        out_bytes=sum(other.out_bytes - one.out_bytes for one, other in pairs),
        memory_bytes=memory_bytes,
        generators_cpu_s={role: round(cpu_after[role] - cpu_before[role], 3) for role in cpu_after},
        commands=commands,
    )


def _finish(processes: list[Process]) -> dict[str, float]:
    """Wait until every published frame is tracked or told as skipped; what was not by then is lost."""
    deadline_s = time.monotonic() + FINISH_TIMEOUT_S
    while time.monotonic() < deadline_s:
        totals = _counts(processes)
        if totals["tracks"] + totals["skipped"] >= totals["published"]:
            # A writer may be in the middle of its last frame.
            time.sleep(0.1)
            if _counts(processes) == totals:
                break
        time.sleep(0.02)
    return _counts(processes)


def _ages(values: list[float]) -> tuple[float, float]:
    return round(percentile(values, 0.5), 1), round(percentile(values, 0.99), 1)


def _usages(brokers: dict[str, Broker]) -> list[Usage]:
    return [usage(broker.client) for broker in brokers.values()]


def _memory_bytes(broker: Broker) -> int:
    # One section only: the whole answer takes a good part of a millisecond of the thread that is measured.
    memory: Any = broker.client.info("memory")
    return int(memory["used_memory"])


def _counts(processes: list[Process]) -> dict[str, float]:
    return {
        name: math.fsum(process.value(name) for process in processes)
        for name in ("published", "poses", "tracks", "skipped", "bytes")
    }


def _cpu_s(processes: list[Process]) -> dict[str, float]:
    used: dict[str, float] = {}
    for process in processes:
        used[process.job.role] = used.get(process.job.role, 0.0) + process.value("cpu_s")
    return used


def _backlog(broker: Broker, names: list[str]) -> int:
    """Frames that wait for a worker and poses that wait for a tracker."""
    pipeline = broker.client.pipeline(transaction=False)
    for name in names:
        pipeline.xlen(broker.topology.frames(name))
        pipeline.xlen(broker.topology.poses(name))
    return sum(pipeline.execute())


def _clean(broker: Broker, names: list[str]) -> None:
    registry = Registry(broker)
    for name in names:
        registry.remove_camera(name)
    shards = range(broker.topology.shards)
    broker.client.delete(*(broker.topology.events(shard) for shard in shards))
