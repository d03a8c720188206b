"""A folder of recordings that is interrupted again and again ends with the results of an undisturbed run."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import av
import pytest

from posebus.bus.redis.connection import connect
from posebus.config.settings import Settings
from posebus.errors import ConfigError, OutputError
from recordings.drawing.again import DrawRequest, draw_again
from recordings.inputs import WHOLE, Part
from recordings.progress import Silent
from recordings.results.result_files import WantedFiles
from recordings.run import prepare_run, run_recordings
from tests.clips import head
from tests.integration.run_command import alive, children, finish, posebus, start
from tests.integration.worker_and_tracker import worker_and_tracker
from tests.polling import wait_until

CLIPS = {"a/cam.mp4": ("TUD-Stadtmitte.mp4", 12), "b/cam.avi": ("vtest.avi", 8), "walk.mp4": ("TUD-Stadtmitte.mp4", 40)}
NAMES = ["a-cam", "b-cam", "walk"]
OF_THE_CLOCK = ("published_at_ns", "frame_published_at_ns", "inference_ns")
"""Fields of a frame that say when it was analysed."""


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three short recordings, of which two have the same name, and a file that is no video."""
    folder = tmp_path_factory.mktemp("recordings")
    for name, (clip, frames) in CLIPS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        head(shared_data / clip, frames, folder / name)
    (folder / "notes.txt").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def fleet(redis_server: str, engine_cache: Path) -> Iterator[list[str]]:
    """The options that make a run use workers that are there already, so that its own start costs little."""
    connect(redis_server).flushall()
    with worker_and_tracker(redis_server, engine_cache):
        yield ["--redis", redis_server, "--workers", "0"]


@pytest.fixture(scope="module")
def undisturbed(folder: Path, fleet: list[str], engine_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    done = posebus(engine_cache, "run", folder, "--out", out, *fleet)
    assert done.returncode == 0, done.stderr
    return out


def results(out: Path) -> dict[str, object]:
    """All files but the summary, by name: bytes, or frames without the times at which they were analysed."""
    found: dict[str, object] = {}
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        name = str(path.relative_to(out))
        if name.endswith(".tracks.jsonl"):
            frames = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [{k: v for k, v in frame.items() if k not in OF_THE_CLOCK} for frame in frames]
        elif name != "summary.json":
            found[name] = path.read_bytes()
    return found


def counts(out: Path) -> list[tuple[str, int, int]]:
    summary = json.loads((out / "summary.json").read_text())
    return [(entry["name"], entry["frames"], entry["tracks"]) for entry in summary["inputs"]]


def finished(out: Path) -> int:
    """Recordings that the summary of an unfinished run lists as finished."""
    try:
        return len(json.loads((out / "summary.json.partial").read_text())["inputs"])
    except FileNotFoundError:
        return 0


def written(out: Path, pattern: str) -> bool:
    return any(path.stat().st_size > 0 for path in out.glob(pattern))


def draws(pid: int) -> bool:
    """Whether a process of the command draws a video."""
    for child in children(pid):
        with suppress(OSError):
            if b"recordings.drawing" in Path(f"/proc/{child}/cmdline").read_bytes():
                return True
    return False


INSTANTS: list[tuple[signal.Signals, str, Callable[[Path, int], object]]] = [
    (signal.SIGINT, "tracks of a recording", lambda out, pid: written(out, "*.tracks.jsonl.partial")),
    (signal.SIGKILL, "a finished recording", lambda out, pid: finished(out)),
    (signal.SIGTERM, "a video that is drawn", lambda out, pid: draws(pid)),
]


def reached(instant: Callable[[Path, int], object], out: Path, process: subprocess.Popen[str]) -> bool:
    """Whether the command is at the instant, or at its end: on a busy machine it may get there first."""
    # A command that has children has begun; what lies in the folder may be of the one before.
    return process.poll() is not None or bool(children(process.pid) and instant(out, process.pid))


def interrupted(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """Send the signal, wait for the end of the command, and return its exit code."""
    family = children(process.pid)
    process.send_signal(number)
    done = finish(process)
    if number != signal.SIGKILL:
        assert alive(family) == set()
        assert done.returncode == 0 or "the same command goes on" in done.stderr
    return done.returncode


def test_interrupts_and_kills_change_no_result(
    folder: Path, fleet: list[str], undisturbed: Path, engine_cache: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ["run", folder, "--out", out, *fleet]
    for number, what, instant in INSTANTS:
        process = start(engine_cache, *command)
        wait_until(partial(reached, instant, out, process), what)
        assert interrupted(process, number) in (0, 130, -signal.SIGKILL)
    last = posebus(engine_cache, *command)
    assert last.returncode == 0, last.stderr
    assert results(out) == results(undisturbed)
    assert counts(out) == counts(undisturbed)


def run(out: Path, redis_url: str, *videos: Path, part: Part = WHOLE) -> dict[str, Any]:
    """The summary of `posebus run`, in this process."""
    settings = Settings(redis=redis_url, fleet={"workers": 0})
    request = prepare_run(settings, [str(video) for video in videos], WantedFiles(), part, print)
    return run_recordings(settings, request, out, Silent(), print)


def test_finished_recordings_are_skipped_and_other_settings_refused(
    folder: Path, fleet: list[str], undisturbed: Path, redis_server: str, tmp_path: Path
) -> None:
    out = shutil.copytree(undisturbed, tmp_path / "out")
    (out / "b-cam.annotated.mp4").unlink()
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name != "summary.json"}
    assert run(out, redis_server, folder)["skipped"] == NAMES
    now = {path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name != "summary.json"}
    assert {name for name in now if now[name] != before.get(name)} == {"b-cam.annotated.mp4"}, "the video was missing"
    assert (out / "b-cam.annotated.mp4").read_bytes() == (undisturbed / "b-cam.annotated.mp4").read_bytes()
    with pytest.raises(OutputError, match="add --fresh to begin anew, or choose another folder with --out"):
        run(out, redis_server, folder, part=Part(every=2))
    assert counts(out) == counts(undisturbed)


def test_a_part_of_a_recording_has_its_own_times_and_is_drawn_again_without_inference(
    shared_data: Path, fleet: list[str], redis_server: str, tmp_path: Path
) -> None:
    clip, out = shared_data / "TUD-Stadtmitte.mp4", tmp_path / "out"
    assert run(out, redis_server, clip, part=Part(start_s=2.0, end_s=3.0, every=5))["failed"] == []
    frames: list[dict[str, Any]] = results(out)["TUD-Stadtmitte.tracks.jsonl"]  # type: ignore[assignment]
    with av.open(str(clip)) as container:
        times_ns = [round(frame.time * 1e9) for frame in container.decode(video=0) if frame.time is not None]
    inside = [time - times_ns[0] for time in times_ns if 2e9 <= time - times_ns[0] < 3e9]
    assert [frame["captured_at_ns"] for frame in frames] == pytest.approx(inside[::5], abs=1000)
    assert [frame["seq"] for frame in frames] == list(range(len(inside[::5])))
    rows = (out / "TUD-Stadtmitte.mot.txt").read_text().splitlines()
    assert {int(row.split(",")[0]) for row in rows} <= set(range(1, len(frames) + 1))

    moved = shutil.copy(clip, tmp_path / "moved.mp4")
    drawn, video = tmp_path / "drawn", "TUD-Stadtmitte.annotated.mp4"
    failures: dict[str, str] = {}
    again = DrawRequest(out, ["TUD-Stadtmitte"], drawn, Path(moved))
    assert draw_again(again, Silent(), failures.__setitem__) == ["TUD-Stadtmitte"]
    assert (drawn / video).read_bytes() == (out / video).read_bytes()
    with av.open(str(drawn / video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == len(frames)
    Path(moved).write_bytes(b"another recording")
    assert draw_again(again, Silent(), failures.__setitem__) == []
    assert "has changed since TUD-Stadtmitte was made from it" in failures["TUD-Stadtmitte"]
    with pytest.raises(ConfigError, match="no finished recording called none; it has TUD-Stadtmitte"):
        draw_again(replace(again, names=["none"]), Silent(), failures.__setitem__)


@pytest.mark.thorough
def test_interrupts_at_random_instants_change_no_result(folder: Path, engine_cache: Path, tmp_path: Path) -> None:
    """With a deployment that the run starts itself, at 20 instants of any of its phases."""
    command = ["run", folder, "--imgsz", "320"]
    reference, out = tmp_path / "reference", tmp_path / "out"
    done = posebus(engine_cache, *command, "--out", reference)
    assert done.returncode == 0, done.stderr
    rng = random.Random(17)
    for number in [signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGKILL] * 5:
        process = start(engine_cache, *command, "--out", out)
        try:
            process.wait(rng.uniform(0.2, 25.0))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        ended = finish(process)
        if ended.returncode == 0:
            assert results(out) == results(reference)
            shutil.rmtree(out)
    last = posebus(engine_cache, *command, "--out", out)
    assert last.returncode == 0, last.stderr
    assert results(out) == results(reference)
