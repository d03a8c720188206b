"""Wall clocks jump by an hour either way under a real deployment: no frame is lost and no process stops."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

import posebus
from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import CameraSettings, FleetSettings, Settings, TrackerSettings, WorkerSettings
from posebus.messages import Delivery, EventType
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.fleet import Fleet
from posebus.topology import Topology
from recordings.stages import STAGES
from tests.clips import head
from tests.faults import lossless_run
from tests.faults.jumping_broker import jumping_broker, set_offset
from tests.polling import wait_until
from tests.samples import frame, held_writer

# libfaketime makes Python's own `sleep` fail.
JUMPING_PYTHON = """
import os
import time

real_time_ns = time.time_ns


def time_ns():
    with open(os.environ["OFFSET_FILE"]) as file:
        return real_time_ns() + int(file.read()) * 1_000_000_000


time.time_ns = time_ns
time.time = lambda: time_ns() / 1e9
"""
TRACKS = Topology().tracks("clip")
TIMEOUT_S = 300.0
HOUR_S = 3600


def settings(url: str, workers: int, cameras: dict[str, CameraSettings]) -> Settings:
    return Settings(
        redis=url,
        cameras=cameras,
        worker=WorkerSettings(reclaim_after_s=1.0, warm_up_px=((640, 480),), imgsz=320, threads=1),
        tracker=TrackerSettings(lease_s=1.0),
        fleet=FleetSettings(workers=workers, restart_min_s=0.05),
        log_level="error",
    )


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_entries_of_a_dead_worker_are_reclaimed_soon_after_the_broker_clock_jumped(jump_s: int, tmp_path: Path) -> None:
    with jumping_broker(tmp_path) as broken:
        broker = open_broker(broken.url)
        writer = held_writer(broker, CameraRecord("door", Delivery.LOSSLESS, "file"))
        writer.announce()
        dead, living = (FrameConsumer(broker, name) for name in ("dead", "living"))
        living.synchronise(["door"])
        writer.publish(frame(0))
        (held,) = dead.read(["door"], 1, None)
        broken.jump(jump_s)

        def looks() -> bool:
            living.synchronise(["door"])  # as a worker does every second: the jump need not show in the first reply
            return bool(living.reclaim(["door"], 300, 10))

        wait_until(looks, "the frame is taken over")
        wait_until(
            lambda: bool(entries := living.reclaim(["door"], 0, 10)) and entries[0].deliveries == 3, "as third delivery"
        )
        assert held.deliveries == 1


@pytest.fixture(scope="module")
def clips(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A recording that takes 11 s at its own pace, which is time enough for processes to be killed and to return."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return {"clip": head(shared_data / "TUD-Stadtmitte.mp4", 70, path, slower=4)}


@pytest.fixture(scope="module")
def calm(clips: dict[str, Path]) -> lossless_run.Public:
    """The results of the recording where every clock is right."""
    return lossless_run.run(clips, workers=1, trackers=1)


@pytest.mark.thorough  # the next one jumps more clocks, and the live camera below has a broker that jumps
def test_recording_is_exact_though_the_broker_clock_jumps(
    clips: dict[str, Path], calm: lossless_run.Public, tmp_path: Path
) -> None:
    moments = {15: HOUR_S, 35: -HOUR_S, 55: 0}
    with jumping_broker(tmp_path) as broken:

        def jump(fleet: Fleet, seen: int) -> None:
            if moments and seen >= min(moments):
                broken.jump(moments.pop(min(moments)))
                fleet.processes.children["worker-1"].process.kill()

        jumped = lossless_run.run_on(
            broken.url, lossless_run.lossless_settings(clips, 2, 1, redis=broken.url), clips, jump
        )
    assert not moments, "not every jump happened"
    assert jumped == calm


def test_recording_is_exact_though_the_clocks_of_all_stages_jump(
    clips: dict[str, Path], calm: lossless_run.Public, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clocks of the hosts of ingest, workers and trackers jump; the broker is on another host."""
    offset_file = tmp_path / "offset"
    set_offset(offset_file, 0)
    (tmp_path / "sitecustomize.py").write_text(JUMPING_PYTHON)
    jumps_s = [HOUR_S, -HOUR_S]
    offset_s = 0

    with EmbeddedBroker() as url:
        client = open_broker(url).client

        def jump(fleet: Fleet, seen: int) -> None:
            """Jump once results were published by the present clock."""
            nonlocal offset_s
            newest: Any = client.xrevrange(TRACKS, count=1)
            if not jumps_s or not newest or abs(published_s(newest[0]) - time.time() - offset_s) > HOUR_S / 2:
                return
            offset_s = jumps_s.pop(0)
            set_offset(offset_file, offset_s)
            # Processes that start now have not noticed a jump.
            for name in ("worker-1", "tracker-1", "ingest-clip"):
                fleet.processes.children[name].process.kill()

        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.setenv("OFFSET_FILE", str(offset_file))
        settings = lossless_run.lossless_settings(clips, 2, 2, redis=url)
        # Read at its own pace, because otherwise it might end before the clocks jump.
        paced = settings.cameras["clip"].model_copy(update={"realtime": True, "delivery": "lossless"})
        settings = settings.model_copy(update={"cameras": {"clip": paced}})
        jumped = lossless_run.run_on(url, settings, clips, jump)
        published = [published_s(entry) for entry in client.xrange(TRACKS)]
    assert jumped == calm
    assert max(published) - min(published) > 1.5 * HOUR_S, "the clocks did not jump"


def published_s(entry: Any) -> float:
    """When an entry of the stream of tracks was published, by the clock of its tracker."""
    return float(json.loads(entry[1][b"data"])["published_at_ns"]) / 1e9


def test_live_camera_stays_live_though_the_broker_clock_jumps(tmp_path: Path) -> None:
    camera = {"door": CameraSettings(source="synthetic:bus?fps=10")}
    with jumping_broker(tmp_path) as broken:
        broker = open_broker(broken.url)
        registry = Registry(broker)
        with (
            Fleet(settings(broken.url, 1, camera), broker, STAGES) as fleet,
            posebus.subscribe(broken.url, after="start") as subscription,
        ):
            fleet.start_trackers()
            fleet.start_workers()
            fleet.wait_until_ready()
            fleet.start_camera("door")
            seen: list[int] = []
            offline: list[Any] = []

            def more() -> int:
                for message in subscription.poll(0.1):
                    if isinstance(message.body, posebus.TrackFrame):
                        seen.append(message.body.seq)
                    elif isinstance(message.body, posebus.Event) and message.body.type == EventType.CAMERA_OFFLINE:
                        offline.append(message.body.data)
                fleet.check()
                return len(seen)

            wait_until(lambda: more() > 10, "the camera is tracked")
            for offset_s in (HOUR_S, -HOUR_S):
                broken.jump(offset_s)
                before = len(seen)
                wait_until(lambda before=before: more() > before + 40, f"it goes on after {offset_s} s")  # type: ignore[misc]
                assert {report["role"] for report in registry.processes().values()} == {"ingest", "worker", "tracker"}
            assert seen == sorted(set(seen))
            assert not offline
