"""One step of `benchmarks.broker`: a number of cameras at a rate for some seconds, and its measurements."""

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
from benchmarks.broker.servers import ServerUsage, commands_between, usage
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry

START_TIMEOUT_S = 60.0
FINISH_TIMEOUT_S = 20.0
SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Setting:
    """The options that all steps of a run have in common; numbers of processes are for each server."""

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


class LoadProcess:
    """One simulated process, from its parent's side."""

    def __init__(self, spec: load.LoadSpec, script: Script, phase: Any) -> None:
        context = mp.get_context("spawn")
        self.spec = spec
        self._values = context.RawArray("d", len(load.FIELDS))
        self._answer, theirs = context.Pipe(duplex=False)
        arguments = (spec, script, phase, self._values, theirs)
        self._process = context.Process(target=load.run, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def value(self, name: str) -> float:
        return float(self._values[load.FIELDS.index(name)])

    def wait_ready(self) -> None:
        """Wait until the process is ready. Raises SystemExit with its error."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self.value("ready"):
            if self._answer.poll(0.01):
                self.result()
            if time.monotonic() > deadline_s:
                raise SystemExit(f"a simulated {self.spec.role} was not ready in {START_TIMEOUT_S:.0f} s")

    def result(self) -> list[tuple[float, float, float]]:
        """The ages that the process sent at its end. Raises SystemExit with its error, or if it sent nothing."""
        try:
            answer = (
                self._answer.recv()
                if self._answer.poll(FINISH_TIMEOUT_S)
                else f"a simulated {self.spec.role} does not end"
            )
        except EOFError:
            answer = f"a simulated {self.spec.role} ended; its message is above"
        if isinstance(answer, str):
            raise SystemExit(answer)
        return list(answer)

    def end(self) -> None:
        """Wait for the process, and terminate it after a second."""
        self._process.join(1.0)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def run_step(setting: Setting, script: Script, cameras: int, fps: float) -> Step:
    """Measure `cameras` cameras that publish `fps` frames a second each, distributed over the servers."""
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
) -> Iterator[tuple[Any, list[LoadProcess]]]:
    phase = mp.get_context("spawn").RawValue("i", load.SET_UP)
    started: list[LoadProcess] = []
    try:
        # Cameras first, so that workers and trackers find them registered.
        for roles in ({"writer": setting.writers}, {"worker": setting.workers, "tracker": setting.trackers}):
            fresh = [
                LoadProcess(spec, script, phase)
                for role, count in roles.items()
                for url, names in parts.items()
                for spec in _specs(setting, role, (url, names), min(count, len(names)), fps)
            ]
            started += fresh
            for process in fresh:
                process.wait_ready()
        yield phase, started
    finally:
        phase.value = load.LEAVE
        for process in started:
            process.end()


def _specs(
    setting: Setting, role: str, place: tuple[str, list[str]], count: int, fps: float
) -> Iterator[load.LoadSpec]:
    url, names = place
    for number in range(count):
        # Workers read all cameras; producers and trackers have cameras of their own.
        own = tuple(names if role == "worker" else names[number::count])
        yield load.LoadSpec(
            role=role,
            url=url,
            shards=setting.shards,
            cameras=own,
            fps=fps,
            number=number,
            count=count,
            slots=setting.slots,
            inference_s=setting.inference_s,
        )


@dataclass(frozen=True, slots=True)
class _Moment:
    """All counters at one end of the window. now_s: monotonic; now_ns: by the first broker's clock."""

    usages: list[ServerUsage]
    counts: dict[str, float]
    cpu_s: dict[str, float]
    now_s: float
    now_ns: int


def _moment(brokers: dict[str, Broker], processes: list[LoadProcess]) -> _Moment:
    usages = [usage(broker.client) for broker in brokers.values()]
    counts, cpu_s = _counts(processes), _cpu_s(processes)
    return _Moment(usages, counts, cpu_s, time.monotonic(), next(iter(brokers.values())).now_ns())


def _measure(
    setting: Setting,
    script: Script,
    rate: tuple[int, float],
    servers: tuple[dict[str, Broker], dict[str, list[str]]],
    running: tuple[Any, list[LoadProcess]],
) -> Step:
    (cameras, fps), (brokers, parts), (phase, processes) = rate, servers, running
    phase.value = load.PUBLISH
    time.sleep(setting.warm_up_s)
    backlog_begin = sum(_backlog(broker, parts[url]) for url, broker in brokers.items())
    before = _moment(brokers, processes)
    memory_bytes = 0
    while (left_s := before.now_s + setting.seconds - time.monotonic()) > 0:
        time.sleep(min(left_s, SAMPLE_S))
        memory_bytes = max(memory_bytes, sum(map(_memory_bytes, brokers.values())))
    after = _moment(brokers, processes)
    backlog_end = sum(_backlog(broker, parts[url]) for url, broker in brokers.items())
    phase.value = load.FINISH
    totals = _finish(processes)
    phase.value = load.LEAVE
    ages = [row for process in processes for row in process.result() if before.now_ns <= row[0] < after.now_ns]
    grown = {name: int(after.counts[name] - before.counts[name]) for name in after.counts}
    pairs = list(zip(before.usages, after.usages, strict=True))
    return Step(
        server=setting.server,
        servers=len(brokers),
        shards=setting.shards,
        cameras=cameras,
        fps=fps,
        seconds=after.now_s - before.now_s,
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
        generators_cpu_s={role: round(after.cpu_s[role] - before.cpu_s[role], 3) for role in after.cpu_s},
        commands=_commands(pairs),
    )


def _finish(processes: list[LoadProcess]) -> dict[str, float]:
    """Wait until every published frame is tracked or reported as skipped; frames that are not count as lost."""
    deadline_s = time.monotonic() + FINISH_TIMEOUT_S
    while time.monotonic() < deadline_s:
        totals = _counts(processes)
        if totals["tracks"] + totals["skipped"] >= totals["published"]:
            # A producer may be publishing its last frame.
            time.sleep(0.1)
            if _counts(processes) == totals:
                break
        time.sleep(0.02)
    return _counts(processes)


def _ages(values: list[float]) -> tuple[float, float]:
    return round(percentile(values, 0.5), 1), round(percentile(values, 0.99), 1)


def _commands(pairs: list[tuple[ServerUsage, ServerUsage]]) -> dict[str, tuple[int, int]]:
    """Calls and microseconds of each command between the two moments of each pair, added up over the servers."""
    commands: dict[str, tuple[int, int]] = {}
    for before, after in pairs:
        for name, (calls, usec) in commands_between(before, after).items():
            calls_so_far, usec_so_far = commands.get(name, (0, 0))
            commands[name] = (calls_so_far + calls, usec_so_far + usec)
    return commands


def _memory_bytes(broker: Broker) -> int:
    # One section only, because the whole answer takes much of a millisecond of the measured thread.
    memory: Any = broker.client.info("memory")
    return int(memory["used_memory"])


def _counts(processes: list[LoadProcess]) -> dict[str, float]:
    return {
        name: math.fsum(process.value(name) for process in processes)
        for name in ("published", "poses", "tracks", "skipped", "bytes")
    }


def _cpu_s(processes: list[LoadProcess]) -> dict[str, float]:
    used: dict[str, float] = {}
    for process in processes:
        used[process.spec.role] = used.get(process.spec.role, 0.0) + process.value("cpu_s")
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
