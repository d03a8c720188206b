"""Events in a broker, and processes that deliver them, for tests of sinks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from posebus.bus.redis.connection import Broker, open_broker
from posebus.config.loading import dump_settings
from posebus.config.settings import Settings
from posebus.config.sinks import SinkSettings
from posebus.contract.public_json import event_fields
from posebus.messages import Event
from posebus.sinks.process import stage_of
from tests.conftest import ROOT
from tests.polling import wait_until


@contextmanager
def empty_broker(url: str) -> Iterator[Broker]:
    """A connection to a broker without any keys."""
    broker = open_broker(url)
    broker.client.flushall()
    yield broker
    broker.client.close()


def event(
    seq: int, track: int | None = 1, camera: str = "door", kind: str = "posebus.line.crossed", **data: Any
) -> Event:
    """A valid event of a rule."""
    about = {} if track is None else {"track_id": track}
    return Event(
        id=f"{camera}/1/{seq}/{kind}/gate/{track}",
        type=kind,
        source=f"posebus/cameras/{camera}",
        subject=camera,
        time_ns=1_764_000_000_000_000_000 + seq * 40_000_000,
        camera=camera,
        epoch=1,
        seq=seq,
        data={"rule": "gate", "kind": "line", "phase": "once", **about, **data},
    )


def publish(broker: Broker, events: Iterable[Event]) -> None:
    """Add them to the stream, as a tracker does."""
    for one in events:
        key = broker.topology.events(broker.topology.shard(one.camera))
        broker.client.xadd(key, event_fields(one))


def record_of(broker: Broker, sink: str, event_id: str) -> dict[str, Any]:
    """What the broker has about an event at a sink."""
    camera = event_id.partition("/")[0]
    value: Any = broker.client.hget(broker.topology.deliveries(broker.topology.shard(camera), sink), event_id)
    return {} if value is None else json.loads(value)


def records(broker: Broker, sink: str) -> dict[str, dict[str, Any]]:
    """All of them, by event."""
    found: Any = broker.client.hgetall(broker.topology.deliveries(0, sink))
    return {event_id.decode(): json.loads(value) for event_id, value in found.items()}


class SinkHere:
    """The stage of a sink in this process; use it in a `with`, which ends it in order."""

    def __init__(self, settings: Settings, name: str, broker: Broker) -> None:
        self.stage = stage_of(settings, name, broker)

    def step(self) -> None:
        self.stage.step(time.monotonic())

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Go on until `condition` holds; `what` the test waited for."""
        wait_until(condition, lambda: f"{what}; {self.stage.report()}", meanwhile=self.step)

    def __enter__(self) -> SinkHere:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stage.drain()
        self.stage.close()


class SinkProcess:
    """`python -m posebus.sinks` for one sink; use it in a `with`, which stops it in order."""

    def __init__(self, folder: Path, url: str, name: str, settings: SinkSettings, **more: Any) -> None:
        self.name = name
        self._config = folder / f"{name}.yaml"
        self._errors = folder / f"{name}.errors"
        dump_settings(Settings(redis=url, sinks={name: settings}, **more), self._config)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = [sys.executable, "-m", "posebus.sinks", "--config", str(self._config), "--name", self.name]
        with self._errors.open("a") as errors:
            self.process = subprocess.Popen(program, cwd=ROOT, stderr=errors)

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Stop it in order; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def log(self) -> str:
        return self._errors.read_text()

    def __enter__(self) -> SinkProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
