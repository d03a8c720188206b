"""`posebus metrics` beside real processes: a camera's ingest and a tracker, with a replacement of the worker."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import samples
from prometheus_client.parser import text_string_to_metric_families

from posebus.bus.frame_consumer import FrameConsumer, PoseResult
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.messages import Delivery, Frame, Provenance
from tests.conftest import missing, start_redis_server
from tests.integration.run_command import finish, posebus, start
from tests.polling import wait_until

CAMERA = "door"
Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def values(text: str, *without: str) -> Values:
    """Every sample of an exposition, by its name and labels; labels named in `without` are removed."""
    return {
        (sample.name, frozenset((name, value) for name, value in sample.labels.items() if name not in without)): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Values, name: str, **labels: str) -> float:
    """The value of a sample, 0 where it is missing."""
    return found.get((name, frozenset(labels.items())), 0.0)


@pytest.fixture
def url(redis_server: str) -> str:
    open_broker(redis_server).client.flushall()
    return redis_server


@pytest.fixture
def worker(url: str) -> Iterator[None]:
    """Publishes two people for every frame, as a worker would."""
    broker = open_broker(url)
    Registry(broker).add_camera(CameraRecord(CAMERA, Delivery.LIVE, "synthetic"))
    reader = FrameConsumer(broker, "worker-of-the-test", RetentionSettings(dead_entries=10))
    stopping = threading.Event()

    def answer() -> None:
        while not stopping.is_set():
            for entry in reader.read([CAMERA], 8, 100):
                frame = entry.body
                assert isinstance(frame, Frame)
                poses = replace(
                    samples.pose_frame(0, CAMERA),  # always the same two people, who stand still
                    epoch=frame.epoch,
                    seq=frame.seq,
                    captured_at_ns=frame.captured_at_ns,
                )
                published_at_ns = int(entry.raw[b"published_at_ns"])
                provenance = Provenance(frame.clock, frame.delivery, published_at_ns)
                reader.commit([PoseResult(entry, poses, provenance)])

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    stopping.set()
    thread.join()


@pytest.fixture
def processes(url: str, engine_cache: Path, tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    config = tmp_path / "posebus.yaml"
    config.write_text(f"cameras: {{{CAMERA}: {{source: 'synthetic:bus?fps=20&width=320&height=240'}}}}")
    running = [
        start(engine_cache, "ingest", "--camera", CAMERA, "--config", config, "--redis", url),
        start(engine_cache, "track", "--redis", url),
    ]
    yield running
    for process in running:
        process.terminate()
    for process in running:
        assert finish(process).returncode == 0


def test_camera_is_measured_on_its_way_through_the_stages(
    url: str, engine_cache: Path, worker: None, processes: list[subprocess.Popen[str]]
) -> None:
    seen: Values = {}

    def tracked() -> bool:
        done = posebus(engine_cache, "metrics", "--once", "--redis", url)
        assert done.returncode == 0, done.stderr
        seen.update(values(done.stdout, "host", "process"))
        # Frames that waited while the tracker compiled its kernels are old; later ones are not.
        fresh = 0 < value(seen, "posebus_camera_age_seconds", camera=CAMERA) < 60
        return fresh and value(seen, "posebus_frames_total", role="tracker") >= 20

    wait_until(tracked, "frames with tracks in the metrics")
    assert value(seen, "posebus_up") == 1
    assert value(seen, "posebus_camera_online", camera=CAMERA) == 1
    assert value(seen, "posebus_camera_people", camera=CAMERA) == 2
    assert 0 < value(seen, "posebus_camera_age_seconds", camera=CAMERA) < 60
    published = value(seen, "posebus_frames_total", role="ingest")
    assert published == value(seen, "posebus_camera_frames_total", camera=CAMERA, stage="frames")
    behind = value(seen, "posebus_frames_skipped_total", role="ingest", reason="publisher behind")
    for step in ("capture", "encode", "publish"):
        counted = value(seen, "posebus_stage_seconds_count", role="ingest", stage=step)
        # The reading thread is a few pictures ahead, and on a busy machine the oldest of those are replaced.
        assert published <= counted <= published + behind + 10, step
        assert 0 < value(seen, "posebus_stage_seconds_sum", role="ingest", stage=step) < published
    frames = value(seen, "posebus_frames_total", role="tracker")
    assert frames == value(seen, "posebus_camera_frames_total", camera=CAMERA, stage="tracks")
    assert frames == value(seen, "posebus_stage_seconds_count", role="tracker", stage="track")
    assert value(seen, "posebus_stage_seconds_count", role="tracker", stage="commit") > 0
    for role, stage in (("ingest", "frames"), ("tracker", "tracks")):
        ages = value(seen, "posebus_age_at_publish_seconds_count", role=role, stage=stage)
        assert ages == value(seen, "posebus_frames_total", role=role)
    shown = posebus(engine_cache, "top", "--once", "--redis", url)
    assert "time of each step in ms" in shown.stdout
    assert "encode" in shown.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_endpoint_answers_through_an_outage_and_ends_on_a_signal(
    number: signal.Signals, engine_cache: Path, tmp_path: Path
) -> None:
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed (on Debian: apt install redis-server)")
    server, address = start_redis_server(str(program), tmp_path)
    process = start(engine_cache, "metrics", "--port", "0", "--redis", address)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("metrics are served at http://127.0.0.1:")
        endpoint = said.split()[-1]
        assert value(values(_get(endpoint)), "posebus_up") == 1
        server.kill()
        server.wait()
        assert values(_get(endpoint)) == {("posebus_up", frozenset()): 0.0}
        process.send_signal(number)
        assert finish(process).returncode == 0
    finally:
        process.kill()
        server.kill()
        server.wait()


def test_port_that_is_taken_is_reported_with_a_reason(url: str, engine_cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = posebus(engine_cache, "metrics", "--port", str(port), "--redis", url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"posebus: metrics cannot be served at 127.0.0.1:{port}: another program uses this port; "
        "choose another one with --port\n"
    )


def test_broker_that_is_unreachable_at_the_start_is_reported_with_a_reason(engine_cache: Path) -> None:
    done = posebus(engine_cache, "metrics", "--once", "--redis", "redis://me:hunter2@127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("posebus: no answer from the broker at redis://***@127.0.0.1:1")


def _get(endpoint: str) -> str:
    with urllib.request.urlopen(endpoint, timeout=30) as answer:
        text: str = answer.read().decode()
    return text
