"""What `config check` and `up` find out about this machine before anything is started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from posebus.config.settings import CameraSettings, Settings, WorkerSettings
from posebus_cli.operate.deployment_check import idle_filters, obstacles, same_sources
from tests.integration.made_videos import make_video
from tests.ports import free_port

SOURCES = {
    "missing.mp4": "there is no file missing.mp4",
    "empty.mp4": "is empty (0 bytes)",
    "folder": "holds no picture",
    "missing.jpg": "there is no file missing.jpg",
    "rstp://camera/stream": "has a scheme that FFmpeg does not know",
    "webrtc://me:secret@camera/1": "webrtc://***@camera/1 has a scheme that FFmpeg does not know",
    "rtsp:///stream": "names no host",
    "http://camera:99999/": "the address http://camera:99999/ cannot be used: it has no valid host and port",
    "synthetic:dog": "there is no synthetic camera 'dog'",
    "synthetic:bus?fps=x": "has an option that is no number",
    "usb:one": "names no camera; write usb:0",
    "usb:77": "there is no camera /dev/video77",
    "usb:" + "7" * 5000: "names no camera; write usb:0",
}
LATER = ("missing.mp4", "empty.mp4", "folder", "missing.jpg", "usb:77")
"""A file may be copied, and a camera be plugged in, later."""
FINE = (
    "rtsp://192.0.2.1/stream",
    "https://example.invalid/live.m3u8",
    "udp://@:5000",
    "srt://192.0.2.1:9000",
    "mmsh://h",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("source", "problem"), SOURCES.items(), ids=[source[:30] for source in SOURCES])
def test_a_source_that_cannot_work_is_found_without_opening_it(source: str, problem: str) -> None:
    (found,) = obstacles(Settings(cameras={"door": CameraSettings(source=source)}))
    assert found.path == ("cameras", "door", "source")
    assert problem in found.problem
    assert "secret" not in found.problem
    assert found.lasting == (source not in LATER)


def test_addresses_and_pipes_are_left_alone() -> None:
    os.mkfifo("pipe.mp4")
    cameras = {f"camera-{n}": CameraSettings(source=source) for n, source in enumerate((*FINE, "pipe.mp4"))}
    assert list(obstacles(Settings(cameras=cameras))) == []


def test_one_device_is_read_by_one_camera_and_other_repeated_sources_are_mentioned(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = folder / "video0"
    device.touch()
    monkeypatch.setattr("ingest.sources.usb.device_of", lambda source: device)
    cameras = {name: CameraSettings(source=source) for name, source in (("a", "usb:0"), ("b", "usb:/dev/video0"))}
    (found,) = obstacles(Settings(cameras=cameras))
    assert (found.path, "'a' has the same device" in found.problem) == (("cameras", "b", "source"), True)
    same = {name: CameraSettings(source="rtsp://192.0.2.1/1") for name in ("a", "b")}
    assert list(obstacles(Settings(cameras=same))) == []
    assert list(same_sources(Settings(cameras=same))) == [
        (("cameras", "b", "source"), "the camera 'a' has the same source")
    ]


@pytest.mark.parametrize(
    ("worker", "field", "problem"),
    [
        ({"model": "yolo99-pose"}, "model", "are not on this machine and their hash is not known"),
        ({"model": "lost/bad.pt"}, "model", "no weights at lost/bad.pt"),
        ({"masks": "yolo99-seg"}, "masks", "are not on this machine"),
        ({"engine": "warpdrive"}, "engine", "there is no engine 'warpdrive'"),
        ({"engine": "onnx", "batch": 4}, "engine", "computes one frame per request"),
        ({"engine": "onnx", "precision": "int8"}, "engine", "does not compute in int8"),
        ({"keypoint_model": "none.onnx"}, "keypoint_model", "there is no file none.onnx"),
    ],
)
def test_workers_that_cannot_start_are_found(worker: dict[str, Any], field: str, problem: str) -> None:
    settings = Settings(worker=WorkerSettings(**worker))
    (found,) = obstacles(settings)
    assert (found.path, problem in found.problem) == (("worker", field), True), found.problem
    elsewhere = settings.model_copy(update={"fleet": settings.fleet.model_copy(update={"workers": 0})})
    assert list(obstacles(elsewhere)) == []


@pytest.mark.parametrize(
    ("settings", "field", "problem"),
    [
        ({"redis": "redis://me:secret@h:99999"}, "redis", "Port out of range"),
        ({"redis": "redis://h:6379,h:port"}, "redis", "Port could not be cast"),
        ({"redis": "rediss://h?ssl_ca_certs=/nowhere"}, "redis", "cannot be read: No such file"),
        ({"shared_frames": "nowhere"}, "shared_frames", "there is no folder nowhere"),
        ({"cache_dir": "empty.mp4/cache"}, "cache_dir", "empty.mp4/cache cannot be written to"),
    ],
)
def test_addresses_and_folders_that_cannot_be_used_are_found(
    settings: dict[str, Any], field: str, problem: str
) -> None:
    (found,) = obstacles(Settings.model_validate(settings))
    assert (found.path, problem in found.problem) == ((field,), True), found.problem
    assert "secret" not in found.problem


def test_sinks_that_cannot_be_used_are_found() -> None:
    sinks = {"alarm": {"sink": "webhook"}, "log": {"sink": "jsonl", "options": {"path": "x.jsonl"}}, "fax": {}}
    found = list(obstacles(Settings.model_validate({"sinks": sinks})))
    assert [one.path for one in found] == [("sinks", "alarm"), ("sinks", "fax")]
    assert "the sink webhook needs the option url" in found[0].problem
    assert "there is no sink 'fax'" in found[1].problem


def test_filters_of_sinks_that_fit_nothing_here_are_mentioned() -> None:
    rules = {"gate": {"kind": "line", "points": [[0, 0], [9, 9]]}}
    sink = {"cameras": ["door", "dor"], "rules": ["gait"], "types": ["posebus.fall.*", "posebus.fal.detected", "my.x"]}
    settings = {"cameras": {"door": {"source": "x", "rules": rules}}, "sinks": {"alarm": {"sink": "webhook", **sink}}}
    assert list(idle_filters(Settings.model_validate(settings))) == [
        (("sinks", "alarm", "cameras"), "there is no camera 'dor' in this file; did you mean 'door'?"),
        (("sinks", "alarm", "rules"), "there is no rule 'gait' in this file; did you mean 'gate'?"),
        (
            ("sinks", "alarm", "types"),
            "no event is of the type 'posebus.fal.detected'; did you mean 'posebus.fall.detected'?",
        ),
    ]
    elsewhere = {"sinks": settings["sinks"]}
    assert list(idle_filters(Settings.model_validate(elsewhere))) == [], "the cameras are in another file"


def test_a_graphics_card_that_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.network.usable_hardware", lambda dev: [])
    camera = CameraSettings(source="rtsp://192.0.2.1/", hardware_decoding="cuda")
    (found,) = obstacles(Settings(cameras={"door": camera}))
    assert "hardware_decoding is cuda, which cannot be used here" in found.problem


def test_extras_that_are_not_installed_are_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    settings = Settings(cameras={"a": CameraSettings(source="missing.mp4")}, worker=WorkerSettings(model="no-such"))
    assert list(obstacles(settings)) == []


def posebus(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "posebus_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_config_check_gives_the_lines_and_up_refuses_the_same(folder: Path) -> None:
    cameras = "cameras:\n  a:\n    source: rtsp:///x\n  b:\n    source: rstp://h/\n"
    Path("posebus.yaml").write_text(f"{cameras}sinks:\n  webhook: {{}}\n")
    answer = json.loads(posebus("config", "check", "posebus.yaml", "--json").stdout)
    found = [(one["line"], one["field"]) for one in answer["mistakes"]]
    assert not answer["ok"]
    assert found == [(3, "cameras.a.source"), (5, "cameras.b.source"), (7, "sinks.webhook")]
    elsewhere = posebus("config", "check", "posebus.yaml", "--elsewhere")
    assert (elsewhere.returncode, elsewhere.stdout) == (0, "posebus.yaml: fine, 2 cameras\n")
    refused = posebus("up", "-c", "posebus.yaml")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "cameras.a.source: the address rtsp:///x names no host" in refused.stderr
    assert "cameras.b.source: the address rstp://h/ has a scheme" in refused.stderr
    assert "sinks.webhook: the sink webhook needs the option url" in refused.stderr


def test_up_fails_in_the_end_if_a_camera_could_not_be_used(folder: Path) -> None:
    """A file that exists and holds no video is found only by opening it."""
    Path("text.mp4").write_text("this is text")
    os.utime("text.mp4", (0, 0))  # one that has just been written may become a video
    make_video(folder / "good.mp4")
    deployment: dict[str, Any] = {"cameras": {"text": {"source": "text.mp4"}}, "fleet": {"workers": 0, "trackers": 0}}
    Path("alone.yaml").write_text(yaml.safe_dump(deployment))
    alone = posebus("up", "-c", "alone.yaml", "--port", str(free_port()))
    assert (alone.returncode, "no camera can be used" in alone.stderr) == (1, True)
    deployment["cameras"] |= {"gone": {"source": "rstp://h/1"}, "good": {"source": "good.mp4", "loop": True}}
    Path("both.yaml").write_text(yaml.safe_dump(deployment))
    command = [sys.executable, "-m", "posebus_cli", "up", "-c", "both.yaml", "--port", str(free_port())]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        while not all(words in said for words in ("good is online", "text is given up", "gone is given up")):
            said += running.stderr.readline()  # type: ignore[union-attr]
        running.send_signal(signal.SIGTERM)
        _, rest = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 1
    assert "posebus: text.mp4 is not a video" in said
    assert "posebus: cameras.gone.source: the address rstp://h/1 has a scheme" in said
    assert "these cameras could not be used, for the reasons above: gone, text" in rest
