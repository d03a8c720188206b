"""`watch`, `top` and `doctor` against a real broker, `image` with the real network."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import hostile_folder
import numpy as np
import pytest
import samples
from PIL import Image

from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.worker_settings import WorkerSettings
from posebus.contract.public_json import dump, event_to_json, track_frame_to_json
from posebus.messages import Delivery, Event
from posebus.runtime.embedded import EmbeddedBroker
from posebus_cli.doctor import check_inference
from tests.clips import photograph
from tests.integration import run_command
from tests.integration.small_networks import simcc_network

Posebus = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def posebus(engine_cache: Path) -> Posebus:
    """`posebus(ARGUMENT, …)` runs the command to its end."""
    return partial(run_command.posebus, engine_cache)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with EmbeddedBroker() as address:
        yield address


@pytest.fixture
def broker(url: str) -> Broker:
    broker = open_broker(url)
    broker.client.flushall()
    registry = Registry(broker)
    for camera in ("door", "yard"):
        registry.add_camera(CameraRecord(camera, Delivery.LIVE, "synthetic"))
    for seq in range(3):
        for camera in ("door", "yard"):
            frame = track_frame_to_json(samples.track_frame(seq, camera), samples.PROVENANCE, 7)
            broker.client.xadd(broker.topology.tracks(camera), {"data": dump(frame)})
    broker.client.xadd(broker.topology.events(0), {"data": dump(event_to_json(samples.event(1)))})
    return broker


def test_watch_prints_the_messages_as_json(broker: Broker, url: str, posebus: Posebus) -> None:
    done = posebus("watch", "door", "--redis", url, "--after", "start", "--count", "4", "--json")
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert {message.get("camera", message.get("data", {}).get("camera")) for message in messages} == {"door"}
    assert [message["seq"] for message in messages if "tracks" in message] == [0, 1, 2]
    assert [message["type"] for message in messages if "type" in message] == ["posebus.track.started"]


def test_watch_shows_the_people_of_each_camera(broker: Broker, url: str, posebus: Posebus) -> None:
    done = posebus("watch", "--redis", url, "--after", "start", "-n", "3", "--kind", "tracks")
    assert done.returncode == 0, done.stderr
    assert "2 people: 1 2" in done.stdout


def test_watch_sums_up_skipped_frames_and_gives_each_event_with_all(broker: Broker, url: str, posebus: Posebus) -> None:
    for number in range(40):
        data = {"first_seq": number, "last_seq": number, "skipped": 7, "reasons": {"old": 5, "overtaken": 2}}
        gap = Event(str(number), "posebus.camera.gap", "s", "door", 1_700_000_000 * 10**9, "door", 1, 2, data)
        # One a second, by the broker's clock.
        fields: Any = {"data": dump(event_to_json(gap))}
        broker.client.xadd(broker.topology.events(0), fields, id=f"{4_000_000_000_000 + 1000 * number}-0")
    watch = ("watch", "door", "--redis", url, "--after", "start", "--kind", "events", "--count", "41")
    lines = [line.split("  ", 2)[2].strip() for line in posebus(*watch).stdout.splitlines()]
    skipped = [line for line in lines if "skipped" in line]
    assert [line.partition(" in ")[2].partition(",")[0] for line in skipped] == [
        "2.0 s",
        "4.0 s",
        "8.0 s",
        "16 s",
        "9.0 s",
    ]
    assert sum(int(line.split()[0]) for line in skipped) == 40 * 7
    assert skipped[0] == "14 frames skipped in 2.0 s, 2 reasons: 10 old, 4 overtaken"
    every = [line.split("  ", 2)[2].strip() for line in posebus(*watch, "--all").stdout.splitlines()]
    assert every.count("7 frames skipped: 5 old, 2 overtaken") == 40
    assert len(posebus(*watch, "--json").stdout.splitlines()) == 41


def test_watch_of_an_invalid_camera_name_is_an_error(broker: Broker, url: str, posebus: Posebus) -> None:
    done = posebus("watch", "two words", "--redis", url)
    assert done.returncode == 1
    assert "camera name 'two words' is not allowed" in done.stderr
    assert posebus("watch", "--redis", url, "--after", "tomorrow").stderr.startswith("posebus: `after` must be")


def test_interrupting_watch_exits_with_130(broker: Broker, url: str, engine_cache: Path) -> None:
    process = run_command.start(engine_cache, "watch", "--redis", url, "--after", "start")
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert run_command.finish(process).returncode == 130


@contextmanager
def reporting(registry: Registry) -> Iterator[None]:
    """Report an ingest and a worker twice a second: processes that are silent for five seconds count as gone."""
    source = {"state": "online", "fps": 10.0, "backlog_frames": 0, "backlog_bytes": 0, "dropped": {"stale": 2}}
    stopping = threading.Event()

    def report() -> None:
        while not stopping.wait(0.5):
            registry.report("ingest-1", "ingest", {"ready": True, "cameras": {"door": source}})
            registry.report("worker-1", "worker", {"ready": True, "engine": "openvino", "frames": 5})

    thread = threading.Thread(target=report)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def test_top_shows_cameras_and_processes(broker: Broker, url: str, posebus: Posebus) -> None:
    with reporting(Registry(broker)):
        done = posebus("top", "--redis", url, "--json")
        text = posebus("top", "--redis", url, "--once").stdout
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert [(row["name"], row["state"], row["dropped"]) for row in shown["cameras"]] == [
        ("door", "online", 2),
        ("yard", "no ingest", 0),
    ]
    assert [row["role"] for row in shown["processes"]] == ["ingest", "worker"]
    assert "door" in text
    assert "openvino" in text


def test_doctor_finds_nothing_broken(
    url: str, posebus: Posebus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even in a folder with scripts of the names of modules: it imports from where the stages do."""
    imported = hostile_folder.fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = posebus("doctor", "--redis", url, "--json")
    answer = json.loads(done.stdout)
    broken = [finding for finding in answer["findings"] if finding["status"] == "broken"]
    assert (done.returncode, answer["ok"], broken, imported.exists()) == (0, True, [], False)
    text = {finding["name"]: finding["text"] for finding in answer["findings"]}
    assert text["broker"].startswith("Valkey ")
    assert "sha256 869e83fcdffd" in text["weights"]
    assert any(name in text["engine"] for name in ("openvino", "torch"))


def test_doctor_reports_what_is_broken_and_what_to_do(posebus: Posebus) -> None:
    done = posebus("doctor", "--redis", "redis://me:hunter2@127.0.0.1:1", "--model", "no-such-model", "--json")
    answer = json.loads(done.stdout)
    broken = {finding["name"]: finding for finding in answer["findings"] if finding["status"] == "broken"}
    assert (done.returncode, answer["ok"]) == (1, False)
    assert set(broken) == {"broker", "weights"}
    assert broken["broker"]["advice"]
    assert "hunter2" not in done.stdout + done.stderr


def test_doctor_checks_the_networks_for_keypoints_and_masks_if_they_are_set(tmp_path: Path) -> None:
    network = simcc_network(tmp_path / "simcc.onnx")
    settings = WorkerSettings(keypoint_model=str(network), masks="no-such-model")
    (found,) = check_inference.keypoint_model(settings)
    assert (found.status, found.name) == ("fine", "keypoint model")
    assert "crops of 192x256" in found.text
    weights = {one.name: one.status for one in check_inference.weights(settings, tmp_path)}
    assert weights == {"weights": "fine", "masks": "broken"}
    (missing,) = check_inference.keypoint_model(WorkerSettings(keypoint_model=str(tmp_path / "none.onnx")))
    assert (missing.status, "none.onnx" in missing.text) == ("broken", True)
    assert list(check_inference.keypoint_model(WorkerSettings())) == []


def test_image_detects_and_draws_the_people(tmp_path: Path, posebus: Posebus) -> None:
    done = posebus("image", photograph("bus.jpg"), "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert (result["size_px"], result["view"]) == ([810, 1080], "640")
    assert len(result["people"]) == 4
    assert np.array([person["keypoints"] for person in result["people"]]).shape == (4, 17, 3)
    boxes = np.array([person["box_xyxy_px"] for person in result["people"]])
    assert (boxes >= 0).all()
    assert (boxes[:, [0, 2]] <= 810).all()
    assert json.loads((tmp_path / "bus.poses.json").read_text()) == result
    drawn, original = cv2.imread(str(tmp_path / "bus.annotated.png")), cv2.imread(str(photograph("bus.jpg")))
    assert drawn is not None
    assert original is not None
    assert drawn.shape == original.shape
    assert 0.005 < float((drawn != original).any(axis=2).mean()) < 0.2


def test_image_uses_the_smallest_size_that_finds_the_most_people(tmp_path: Path, posebus: Posebus) -> None:
    bus = cv2.imread(str(photograph("bus.jpg")))
    assert bus is not None
    cv2.imwrite(str(tmp_path / "near.png"), bus)
    far = np.full((1440, 2560, 3), 114, np.uint8)
    far[400:832, 700:1024] = cv2.resize(bus, (324, 432), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "far.png"), far)
    done = posebus("image", tmp_path / "near.png", tmp_path / "far.png", "--imgsz", "auto", "--json")
    assert done.returncode == 0, done.stderr
    close, away = json.loads(done.stdout)
    assert len(close["people"]) >= 4
    assert int(close["view"]) < int(away["view"]) <= 1280
    done = posebus("image", tmp_path / "far.png", "--tiles", "3x2", "--json")
    (tiled,) = json.loads(done.stdout)
    assert tiled["view"] == "640/3x2"
    assert len(tiled["people"]) >= 2


def test_bad_picture_does_not_stop_the_others(tmp_path: Path, posebus: Posebus) -> None:
    empty, text = tmp_path / "empty.jpg", tmp_path / "text.png"
    empty.touch()
    text.write_text("no picture")
    out = tmp_path / "out"
    done = posebus("image", empty, photograph("zidane.jpg"), text, tmp_path / "none.jpg", "--out", out)
    assert done.returncode == 1
    assert "zidane.jpg: 2 people" in done.stdout
    assert sorted(path.name for path in out.iterdir()) == ["zidane.annotated.png", "zidane.poses.json"]
    sentences = done.stderr.splitlines()
    assert len(sentences) == 3
    assert all(sentence.startswith("posebus: ") for sentence in sentences)
    assert all(any(name in sentence for sentence in sentences) for name in ("empty.jpg", "text.png", "none.jpg"))


def test_pictures_of_the_same_name_get_different_files(tmp_path: Path, posebus: Posebus) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "x.png"), np.zeros((64, 64, 3), np.uint8))
    shown = [Image.new("RGB", (64, 48), colour) for colour in ("black", "white")]
    shown[0].save(tmp_path / "an im.gif", save_all=True, append_images=shown[1:])
    shown[0].save(tmp_path / "an im.2.png")
    animation = f"file://{tmp_path}/an%20im.gif"
    done = posebus(
        "image", tmp_path / "a", tmp_path / "b", animation, tmp_path / "an im.2.png", "--out", tmp_path / "out"
    )
    assert done.returncode == 0, done.stderr
    written = {path.name.removesuffix(".poses.json"): json.loads(path.read_text()) for path in tmp_path.rglob("*.json")}
    assert set(written) == {"x", "x-2", "an im", "an im.2", "an im.2-2"}
    assert [written[name].get("page") for name in ("x", "an im", "an im.2-2", "an im.2")] == [None, 1, 2, None]
    assert "x.png: 0 people" in done.stdout
    assert "an im.gif, picture 2: 0 people" in done.stdout


def test_output_folder_that_cannot_be_created_is_an_error(tmp_path: Path, posebus: Posebus) -> None:
    (tmp_path / "file").touch()
    done = posebus("image", photograph("bus.jpg"), "--out", tmp_path / "file" / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("posebus: no file can be written into the folder ")
