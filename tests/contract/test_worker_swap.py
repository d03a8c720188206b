"""A worker changes over to another engine under load: each frame is answered once; an engine that fails is not used."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.registry import Registry
from posebus.config.settings import RetentionSettings, WorkerSettings
from posebus.errors import EngineError
from posebus.messages import PoseFrame
from posebus.reloading.followed import FollowedSettings
from posebus.runtime.following import Follower
from posebus.runtime.stage import StopFlag
from posebus.telemetry.metrics import Metrics
from tests.contract.conftest import MakeBench, MakeClient
from tests.contract.pose_stage_bench import Bench, OnePerson
from tests.polling import wait_until
from workers.inference.estimator import PoseEstimator
from workers.pose_stage import PoseStage
from workers.swapping import SwappingStage


@pytest.fixture
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What follows settings sets up SIGHUP and the log of its process, which here is that of the tests."""
    monkeypatch.setattr("posebus.runtime.following.set_up_logging", lambda settings: None)
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


class Engines:
    """Builds a stage for each of the settings, when the test lets it; a `conf` of 0.5 fails."""

    def __init__(self, bench: Bench) -> None:
        self.allowed = threading.Event()
        self.built: list[WorkerSettings] = []
        self._bench = bench

    def build(self, settings: WorkerSettings, metrics: Metrics | None) -> PoseStage:
        assert self.allowed.wait(60)
        if settings.conf == 0.5:
            raise EngineError("this engine cannot be loaded: take another one")
        self.built.append(settings)
        bench = self._bench
        consumer = FrameConsumer(bench.broker, f"w{len(self.built) + 1}", RetentionSettings())
        estimator = PoseEstimator(OnePerson(), settings)
        return PoseStage(consumer, Registry(bench.broker), estimator, settings, metrics=metrics)


def test_frames_are_answered_once_while_the_engine_changes_and_a_failing_engine_changes_nothing(
    make_bench: MakeBench, make_client: MakeClient, tmp_path: Path, own_process: None, caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench(make_client())
    path = tmp_path / "posebus.yaml"

    def edit(conf: float) -> None:
        path.write_text(f"worker: {{imgsz: 96, conf: {conf}}}\n")

    caplog.set_level("INFO")
    edit(0.1)
    engines = Engines(bench)
    followed = FollowedSettings(path, {}, {}, settled_s=0.0)
    names = iter(("first", "second"))
    stage = SwappingStage(bench.stage, engines.build, Follower(followed, StopFlag()), lambda *_: next(names))
    sent = 0

    def work() -> None:
        nonlocal sent
        bench.publish(sent)
        sent += 1
        stage.step(time.monotonic())

    for conf, line in ((0.2, "changed over to first"), (0.5, "take another one"), (0.3, "changed over to second")):
        edit(conf)
        engines.allowed.clear()
        before = sent
        wait_until(lambda before=before: sent > before + 5, "frames while the engine is loaded", meanwhile=work)
        assert line not in caplog.text
        engines.allowed.set()
        wait_until(lambda line=line: line in caplog.text, line, meanwhile=work)
    assert [settings.conf for settings in engines.built] == [0.2, 0.3]
    wait_until(lambda: bench.waiting() == (0, 0), "all answers", meanwhile=lambda: stage.step(time.monotonic()))
    answers = [body.seq for body in bench.poses() if isinstance(body, PoseFrame)]
    assert answers == sorted(answers) == list(range(len(answers)))
    assert stage.frames == sent
    stage.drain()
    stage.close()
