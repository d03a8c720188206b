"""`posebus run`, `up`, `snapshot` and `image` of live sources: a real RTSP camera with people, real weights."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from posebus.contract.public_json import track_frame_from_json
from posebus.errors import ConfigError, PoseBusError
from tests.clips import head
from tests.integration.people_camera import SIZE_PX, draw, number_in, people_camera
from tests.integration.rtsp_server import RtspServer
from tests.integration.run_command import environment, finish, posebus, start
from tests.polling import wait_until
from tests.ports import free_port

SECRET = "geheim7"
NAME = "127.0.0.1"
FILES = {f"{NAME}.{ending}" for ending in ("annotated.mp4", "mot.txt", "people.csv", "tracks.jsonl")} | {"summary.json"}


@pytest.fixture(scope="module")
def camera() -> Iterator[RtspServer]:
    server = people_camera()
    yield server
    server.close()


def url(server: RtspServer) -> str:
    """The address of the camera, with a password that must not appear anywhere."""
    return server.url.replace("//", f"//me:{SECRET}@")


@pytest.fixture(scope="module")
def recorded(camera: RtspServer, engine_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run of the camera and of one that does not answer, for some seconds."""
    out = tmp_path_factory.mktemp("run") / "out"
    dead = f"rtsp://me:{SECRET}@127.0.0.1:{free_port()}/x"
    done = posebus(
        *(engine_cache, "run", url(camera), dead, "--seconds", "4", "--imgsz", "320", "--motion-gate", "off"),
        *("--out", out, "--json"),
    )
    return {"done": done, "out": out, "summary": json.loads(done.stdout)}


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{NAME}.tracks.jsonl").read_text().splitlines()]


def test_live_run_writes_complete_files_and_a_summary(recorded: dict[str, Any]) -> None:
    done, out, summary = recorded["done"], recorded["out"], recorded["summary"]
    assert done.returncode == 1, done.stderr  # for the camera that does not answer
    assert "refuses the connection; check address and port" in done.stderr
    assert [one["name"] for one in summary["failed"]] == [f"{NAME}-2"]
    assert {path.name for path in out.iterdir()} == FILES
    assert json.loads((out / "summary.json").read_text()) == summary
    (found,) = summary["inputs"]
    lines = lines_of(out)
    captured = [line["captured_at_ns"] for line in lines]
    assert (found["frames"], summary["frames"], summary["ended_by"]) == (len(lines), len(lines), "seconds")
    assert [line["seq"] for line in lines] == sorted({line["seq"] for line in lines})
    assert found["skipped"] == lines[-1]["seq"] - lines[0]["seq"] + 1 - len(lines)
    assert found["source"]["duration_s"] == pytest.approx((captured[-1] - captured[0]) / 1e9, abs=1e-3)
    ages_ms = [(line["published_at_ns"] - line["captured_at_ns"]) / 1e6 for line in lines]
    assert found["age_ms"]["p50"] == pytest.approx(float(np.percentile(ages_ms, 50)), abs=0.1)
    assert found["source"]["size_px"] == list(SIZE_PX)
    assert found["tracks"] >= 2
    assert summary["model"]["name"] == "yolo11n-pose"


def test_video_shows_each_frame_at_its_time_with_its_own_picture(recorded: dict[str, Any]) -> None:
    lines = lines_of(recorded["out"])
    with av.open(str(recorded["out"] / f"{NAME}.annotated.mp4")) as video:
        shown = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)]
    assert len(shown) == len(lines)
    start_ns, times_s = lines[0]["captured_at_ns"], [time_s for time_s, _ in shown]
    assert times_s == pytest.approx([(line["captured_at_ns"] - start_ns) / 1e9 for line in lines], abs=0.001)
    # Everything but what is drawn is the camera's picture of that number.
    for _, picture in shown:
        plain = draw(number_in(picture), SIZE_PX)
        assert np.median(np.abs(picture.astype(int) - plain)) < 12


def test_nothing_shows_the_password(recorded: dict[str, Any]) -> None:
    texts = [recorded["done"].stdout, recorded["done"].stderr]
    texts += [path.read_text(errors="replace") for path in recorded["out"].iterdir()]
    assert not any(SECRET in text for text in texts)
    assert "rtsp://***@127.0.0.1:" in texts[0]


def test_ctrl_c_completes_the_files_and_says_so(camera: RtspServer, engine_cache: Path, tmp_path: Path) -> None:
    for name in ("summary.json", f"{NAME}.tracks.jsonl"):
        (tmp_path / name).write_text("of an earlier run\n")
    running = start(engine_cache, "run", url(camera), "--imgsz", "320", "--no-video", "--out", tmp_path)
    files = {kind: tmp_path / f"{NAME}-2.{kind}" for kind in ("tracks.jsonl", "mot.txt", "people.csv")}
    begun = tmp_path / f"{NAME}-2.tracks.jsonl.partial"
    wait_until(lambda: (begun.exists() and begun.stat().st_size > 0) or running.poll() is not None, "the first frames")
    running.send_signal(signal.SIGINT)
    done = finish(running)
    assert done.returncode == 130
    assert "until Ctrl-C, which completes the files" in done.stderr
    assert "stopping; the files are completed" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        "summary.json",
        "summary-2.json",
        f"{NAME}.tracks.jsonl",
        *(path.name for path in files.values()),
    }
    summary = json.loads((tmp_path / "summary-2.json").read_text())
    frames = [json.loads(line) for line in files["tracks.jsonl"].read_text().splitlines()]
    assert (summary["ended_by"], summary["frames"]) == ("interrupt", len(frames))
    assert (tmp_path / "summary.json").read_text() == "of an earlier run\n"


def test_wrong_live_runs_end_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from posebus_cli.app import command

    recording = str(tmp_path / "a.mp4")
    for arguments, sentence in (
        ([recording, "usb:0"], f"{recording} is a recording and usb:0 a camera: analyse them in two runs"),
        ([recording, "--seconds", "2"], f"--seconds is for cameras, and {recording} is a recording"),
    ):
        with pytest.raises(ConfigError, match=re.escape(sentence)):
            command().main(["run", *arguments], standalone_mode=False)
    arguments = ["run", "usb:/dev/no-such-camera", "--seconds", "2", "--out", str(tmp_path / "out")]
    assert command().main(arguments, standalone_mode=False) == 1
    said = capsys.readouterr().err
    assert said.startswith("opening no-such-camera\nposebus: there is no camera /dev/no-such-camera;")
    assert len(said.splitlines()) == 2


class Terminal:
    """A command on a terminal of its own, and what it has shown there."""

    def __init__(self, cache: Path, folder: Path, *arguments: str | Path) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "posebus_cli", *map(str, arguments)]
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment(cache), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self._shown = b""

    @property
    def shown(self) -> str:
        try:
            while part := os.read(self._master, 65536):
                self._shown += part
        except OSError:  # nothing new, or the command has ended
            pass
        return self._shown.decode().replace("\r\n", "\n")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it shows a line that matches."""
        wait_until(
            lambda: re.search(pattern, self.shown, re.MULTILINE) or self.process.poll() is not None,
            lambda: f"{pattern}; {self.shown}",
        )
        found = re.search(pattern, self.shown, re.MULTILINE)
        assert found, self.shown
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture(scope="module")
def deployment(
    camera: RtspServer, engine_cache: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Terminal, str]]:
    """`posebus up` on a terminal, with the camera and a clip as arguments, and the address of its broker."""
    folder = tmp_path_factory.mktemp("up")
    head(shared_data / "TUD-Stadtmitte.mp4", 30, folder / "clip.mp4")
    (folder / "small.yaml").write_text("worker: {imgsz: 320, motion_gate: off}\n")
    port = free_port()
    terminal = Terminal(engine_cache, folder, "up", "small.yaml", url(camera), "clip.mp4", "--port", str(port))
    yield terminal, f"redis://127.0.0.1:{port}"
    terminal.close()


def test_up_names_its_cameras_and_shows_what_they_do(deployment: tuple[Terminal, str]) -> None:
    terminal, _ = deployment
    terminal.wait_for(r"^small\.yaml is the configuration file, as with -c small\.yaml$")
    terminal.wait_for(rf"^camera {re.escape(NAME)}: rtsp://\*\*\*@127\.0\.0\.1:\d+/live$")
    terminal.wait_for(r"^camera clip: clip\.mp4$")
    terminal.wait_for(rf"^\d\d:\d\d:\d\d  {re.escape(NAME)} +online$")
    terminal.wait_for(rf"^\d\d:\d\d:\d\d  {re.escape(NAME)} +first person seen$")
    played = terminal.wait_for(r"^\d\d:\d\d:\d\d  clip +ended after (\d+) frames$")
    assert 0 < int(played[1]) <= 30
    # With a configuration file, in which cameras may be added later, the deployment goes on.
    assert terminal.process.poll() is None
    assert "INFO" not in terminal.shown


def test_snapshot_shows_a_frame_with_its_own_tracks(
    deployment: tuple[Terminal, str], engine_cache: Path, tmp_path: Path
) -> None:
    terminal, broker = deployment
    terminal.wait_for(rf"^\d\d:\d\d:\d\d  {re.escape(NAME)} +first person seen$")
    out = tmp_path / "door.png"
    done = posebus(engine_cache, "snapshot", NAME, "--redis", broker, "--json", "--out", out)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    frame = track_frame_from_json({key: value for key, value in result.items() if key != "picture"})[0]
    assert (result["camera"], result["picture"], frame.size_px) == (NAME, str(out), SIZE_PX)
    with Image.open(out) as picture:
        assert (picture.format, picture.size) == ("PNG", SIZE_PX)
    # The camera's picture of that number differs from the snapshot only where its tracks were drawn.
    drawn = cv2.imread(str(out))
    assert drawn is not None
    plain = draw(number_in(drawn), SIZE_PX)
    changed = np.abs(drawn.astype(int) - plain).max(axis=2) > 100
    near = np.zeros(changed.shape, bool)
    people = [track for track in frame.tracks if track.state in ("confirmed", "lost")]
    assert people
    for track in people:
        left, top, right, bottom = (round(float(side)) for side in track.box_xyxy_px)
        near[max(0, top - 30) : bottom + 12, max(0, left - 12) : right + 30] = True
    assert changed[near].mean() > 0.01
    assert changed[~near].mean() < 0.005


def test_snapshot_says_why_there_is_none(deployment: tuple[Terminal, str], tmp_path: Path) -> None:
    from posebus_cli.app import command

    terminal, broker = deployment
    terminal.wait_for(r"  clip +ended after")
    for arguments, sentence in (
        (["clip"], "the camera clip gives no pictures, since "),
        (["nodoor"], f"there is no camera 'nodoor' and no such file: the deployment has {NAME}, clip"),
        ([NAME, "--out", f"{tmp_path}/none/a.png"], f"there is no folder {tmp_path}/none for the picture;"),
        ([NAME, "--out", f"{tmp_path}/a.gif"], f"--out: {tmp_path}/a.gif must end in .png, "),
    ):
        with pytest.raises(PoseBusError, match=re.escape(sentence)):
            command().main(["snapshot", "--redis", broker, *arguments], standalone_mode=False)


def test_ctrl_c_ends_up_with_a_summary(deployment: tuple[Terminal, str]) -> None:
    terminal, _ = deployment
    os.killpg(terminal.process.pid, signal.SIGINT)
    terminal.wait_for(r"^stopping$")
    terminal.wait_for(rf"{re.escape(NAME)}: (\d+ people|1 person)$")
    terminal.wait_for(r"^clip: \d+ frames?, (\d+ people|1 person|no people)$")
    wait_until(lambda: terminal.process.poll() is not None, lambda: terminal.shown)
    assert terminal.process.returncode == 0
    assert SECRET not in terminal.shown


def test_pictures_are_taken_from_cameras_videos_and_patterns(
    camera: RtspServer, engine_cache: Path, shared_data: Path, tmp_path: Path
) -> None:
    clip = head(shared_data / "TUD-Stadtmitte.mp4", 3, tmp_path / "clip.mp4")
    for name in ("a1.png", "a2.png"):
        Image.new("RGB", (64, 48), "grey").save(tmp_path / name)
    arguments = [url(camera), clip, tmp_path / "a?.png", tmp_path / "b*.png", f"rtsp://me:{SECRET}@127.0.0.1:1/"]
    done = posebus(engine_cache, "image", *arguments, "--imgsz", "320", "--out", tmp_path / "out", "--json")
    assert done.returncode == 1
    assert [line.split(";")[0] for line in done.stderr.splitlines() if line.startswith("posebus: ")] == [
        f"posebus: no file matches {tmp_path}/b*.png",
        "posebus: rtsp://***@127.0.0.1:1/ refuses the connection",
    ]
    live, video, *others = json.loads(done.stdout)
    assert live["source"] == camera.url.replace("//", "//***@")
    assert (live["size_px"], len(live["people"]) >= 2) == (list(SIZE_PX), True)
    assert (video["source"], video["captured_at_ns"] <= 2 * 10**9 // 25) == (str(clip), True)
    assert len(video["people"]) >= 2
    assert [one["file"] for one in others] == [str(tmp_path / name) for name in ("a1.png", "a2.png")]
    stems = (NAME, "clip", "a1", "a2")
    kinds = ("annotated.png", "poses.json")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{stem}.{kind}" for stem in stems for kind in kinds
    }
    assert SECRET not in done.stdout + done.stderr
