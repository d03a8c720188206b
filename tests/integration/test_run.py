"""`posebus run` on real recordings, with real weights and a real broker."""

from __future__ import annotations

import json
import os
import platform
import signal
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pandas
import pillow_heif
import pytest
from PIL import Image

import posebus as posebus_package
from posebus.bus.redis.connection import connect
from posebus.config.loading import load_settings
from posebus.contract.public_json import track_frame_from_json
from posebus.wording import counted
from recordings.results.earlier_run import read_earlier_run
from tests.clips import head
from tests.integration.run_command import alive, children, finish, posebus, start
from tests.polling import wait_until
from workers.weights.weights import Weights

FRAMES = 40
NAME = "TUD-Stadtmitte"
FORMATS = "csv,parquet,coco,mot"
LONG_NAME = "x" * 240 + ".heic"
FAILING_SOURCE = """
import numpy as np
from ingest.sources import CapturedImage, RowsImage, SourceSpec
from posebus.messages import CaptureClock

class Failing:
    live, fps, warning, lost, frame_count = False, 10.0, None, 0, 9

    def __init__(self, good):
        self.number, self.good = 0, good

    def read(self, admit=None):
        if self.number == self.good:
            raise ZeroDivisionError("in the decoder")
        captured_at_ns, self.number = self.number * 100_000_000, self.number + 1
        admit is None or admit(captured_at_ns)
        return CapturedImage(RowsImage(np.zeros((48, 64, 3), np.uint8)), captured_at_ns, CaptureClock.FILE)

    def close(self):
        pass

def open_failing(settings, *, live):
    return Failing(int(settings.source.partition(":")[2]))

def spec():
    return SourceSpec("failing", lambda source: source.startswith("failing:"), open_failing, recorded=True)
"""


@pytest.fixture(scope="module")
def clip(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return head(shared_data / f"{NAME}.mp4", FRAMES, tmp_path_factory.mktemp("clip") / f"{NAME}.mp4")


@pytest.fixture(scope="module")
def one_worker(clip: Path, engine_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with one worker; its standard output is in the file `printed`."""
    folder = tmp_path_factory.mktemp("one-worker")
    done = posebus(engine_cache, "run", clip, "--out", folder / "new", "--format", FORMATS)
    assert done.returncode == 0, done.stderr
    (folder / "printed").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def three_workers(
    clip: Path, engine_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The folder and the printed summary of a run with three workers and several bad inputs beside two good ones."""
    folder = tmp_path_factory.mktemp("three-workers")
    plugins = _failing_source(tmp_path_factory.mktemp("plugins"))
    os.mkfifo(folder / "pipe")
    (folder / LONG_NAME).write_bytes(_heic_of_tiles())
    for name, occupied in (("blocked", "mot.txt.partial"), ("taken", "tracks.jsonl")):
        Image.new("RGB", (64, 48)).save(folder / f"{name}.png")
        (folder / f"{name}.{occupied}").mkdir()  # where a file of its results should be
    inputs = [folder / "missing.mp4", clip, folder / "pipe", "failing:3", folder / LONG_NAME]
    inputs += [folder / "blocked.png", folder / "taken.png"]
    options = ["--no-video", "--snapshots", "--format", FORMATS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(plugins))
        done = posebus(engine_cache, "run", *inputs, "--out", folder, "--workers", "3", *options, "--json")
    assert done.returncode == 1
    assert f"there is no file {folder}/missing.mp4" in done.stderr
    return folder, json.loads(done.stdout)


def _heic_of_tiles() -> bytes:
    file = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (256, 192))).save(file, format="HEIF", tile_size=64)
    return file.getvalue()


def _failing_source(site: Path) -> Path:
    """A package of another author: a recording that fails after some frames, in a way that no one has foreseen."""
    (site / "failing").mkdir()
    (site / "failing" / "__init__.py").write_text(FAILING_SOURCE)
    information = site / "failing-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: failing\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[posebus.sources]\nfailing = failing:spec\n")
    return site


def frames_of(path: Path) -> list[dict[str, Any]]:
    """Return the frames in a file of tracks without the fields that differ between runs."""
    frames = [json.loads(line) for line in path.read_text().splitlines()]
    for frame in frames:
        del frame["published_at_ns"], frame["frame_published_at_ns"], frame["inference_ns"]
    return frames


def broker_keys(url: str) -> set[str]:
    """Return the keys of cameras and the cameras in the registry."""
    client = connect(url)
    keys = {key.decode() for key in client.keys("posebus:*")}
    keys |= {name.decode() for name in client.hkeys("posebus:{0}:cameras")}
    return keys - {"posebus:{0}:events", "posebus:{0}:processes"}


def test_every_frame_is_a_line_in_the_format_of_the_stream(one_worker: Path) -> None:
    lines = (one_worker / "new" / f"{NAME}.tracks.jsonl").read_text().splitlines()
    frames = [track_frame_from_json(json.loads(line))[0] for line in lines]
    assert [frame.seq for frame in frames] == list(range(FRAMES))
    assert {frame.camera for frame in frames} == {NAME}
    assert {frame.size_px for frame in frames} == {(640, 480)}
    assert sum(len(frame.tracks) for frame in frames) > 5 * FRAMES


def test_mot_file_is_valid_and_has_the_confirmed_tracks(one_worker: Path) -> None:
    rows = [line.split(",") for line in (one_worker / "new" / f"{NAME}.mot.txt").read_text().splitlines()]
    tracks = frames_of(one_worker / "new" / f"{NAME}.tracks.jsonl")
    confirmed = [(f["seq"] + 1, t["id"]) for f in tracks for t in f["tracks"] if t["state"] == "confirmed"]
    assert [(int(row[0]), int(row[1])) for row in rows] == confirmed
    assert len({(row[0], row[1]) for row in rows}) == len(rows), "an identity is twice in a frame"
    assert {len(row) for row in rows} == {10}
    assert {tuple(row[7:]) for row in rows} == {("-1", "-1", "-1")}
    assert all(float(row[4]) > 0 and float(row[5]) > 0 and 0 < float(row[6]) <= 1 for row in rows)


def test_summary_agrees_with_the_files_and_names_what_made_them(one_worker: Path, clip: Path, weights: Weights) -> None:
    summary = json.loads((one_worker / "new" / "summary.json").read_text())
    (entry,) = summary["inputs"]
    rows = (one_worker / "new" / f"{NAME}.mot.txt").read_text().splitlines()
    assert (entry["name"], entry["frames"], entry["tracks"]) == (NAME, FRAMES, len({r.split(",")[1] for r in rows}))
    assert (summary["frames"], summary["dropped"], summary["imgsz"]) == (FRAMES, 0, "auto")
    assert summary["fps"] == pytest.approx(FRAMES / summary["processing_s"], rel=0.01)
    assert summary["wall_s"] > summary["processing_s"]
    assert summary["engine"] in {"openvino", "torch", "onnx"}
    assert summary["precision"] in {"fp32", "bf16", "fp16"}
    source = entry["source"]
    assert (source["path"], source["size_px"], source["frames"]) == (str(clip), [640, 480], FRAMES)
    with av.open(str(clip)) as container:
        times_s = [frame.time for frame in container.decode(video=0) if frame.time is not None]
    assert source["fps"] == pytest.approx((FRAMES - 1) / (times_s[-1] - times_s[0]), rel=1e-3)
    assert source["duration_s"] == pytest.approx(FRAMES / source["fps"], abs=0.002)
    assert summary["speed"] == pytest.approx(source["duration_s"] / summary["processing_s"], abs=0.01)
    assert summary["settings"]["worker"]["model"] == summary["model"]["name"] == "yolo11n-pose"
    assert summary["model"]["sha256"] == weights.sha256
    assert summary["versions"]["posebus"] == version("posebus")
    assert summary["versions"]["python"] == platform.python_version()
    assert (summary["failed"], summary["warnings"]) == ([], [])
    printed = (one_worker / "printed").read_text()
    assert f"{NAME}: {FRAMES} frames, {counted(entry['tracks'], 'person')}, {entry['fps']:.1f} frames/s" in printed
    assert f"({entry['speed']:.1f} x real time)" in printed
    assert "ms" not in printed.replace(str(one_worker), ""), "the time in a queue is no latency"


def test_video_has_the_frames_and_times_of_the_recording(one_worker: Path, clip: Path) -> None:
    with av.open(str(one_worker / "new" / f"{NAME}.annotated.mp4")) as annotated, av.open(str(clip)) as original:
        assert annotated.streams.video[0].codec_context.name == "h264"
        times = [[frame.time for frame in container.decode(video=0)] for container in (annotated, original)]
    assert len(times[0]) == FRAMES
    assert times[0] == pytest.approx([time - times[1][0] for time in times[1]], abs=0.001)


def test_run_leaves_no_other_files(one_worker: Path) -> None:
    names = {path.name for path in (one_worker / "new").iterdir()}
    of_name = ("tracks.jsonl", "tracks.csv", "tracks.parquet", "coco.json", "mot.txt", "people", "annotated.mp4")
    others = ("people.csv", "events.jsonl", "events.csv")
    assert names == {*(f"{NAME}.{end}" for end in (*of_name, *others)), "summary.json"}


def test_three_workers_give_exactly_the_tracks_of_one(one_worker: Path, three_workers: tuple[Path, Any]) -> None:
    folder, summary = three_workers
    expected = frames_of(one_worker / "new" / f"{NAME}.tracks.jsonl")
    assert frames_of(folder / f"{NAME}.tracks.jsonl") == expected
    assert summary["dropped"] == 0
    alike = ["tracks.csv", "tracks.parquet", "coco.json", "mot.txt", "people.csv", "events.jsonl", "events.csv"]
    for end in alike:
        name = f"{NAME}.{end}"
        assert (folder / name).read_bytes() == (one_worker / "new" / name).read_bytes(), name


def test_people_and_events_agree_with_the_tracks(one_worker: Path) -> None:
    """What pandas counts in the table of tracks stands in the table of people and in the summary."""
    folder = one_worker / "new"
    tracks = pandas.read_parquet(folder / f"{NAME}.tracks.parquet")
    present = tracks[tracks.state == "confirmed"]
    people = pandas.read_csv(folder / f"{NAME}.people.csv").set_index("track_id")
    assert sorted(people.index) == sorted(present.track_id.unique())
    detected = tracks[~tracks.coasted & tracks.track_id.isin(people.index)].groupby("track_id")
    assert people.frames_detected.to_dict() == detected.size().to_dict()
    assert people.first_seen_s.to_dict() == detected.time_s.min().to_dict()
    assert people.last_seen_s.to_dict() == detected.time_s.max().to_dict()
    (entry,) = json.loads((folder / "summary.json").read_text())["inputs"]
    assert {one["track_id"]: one["frames_present"] for one in entry["people"]} == people.frames_present.to_dict()
    for path in people.snapshot:
        with Image.open(folder / path) as picture:
            assert min(picture.size) > 20
    events = [json.loads(line) for line in (folder / f"{NAME}.events.jsonl").read_text().splitlines()]
    started = [event["data"]["track_id"] for event in events if event["type"] == "posebus.track.started"]
    assert sorted(set(started)) == sorted(people.index)
    assert posebus_package.read_tracks(folder).rows == len(tracks)


def test_run_can_be_repeated_from_its_summary(one_worker: Path, clip: Path) -> None:
    """Without running it again: what `--from` takes from the summary is what was asked for."""
    summary = json.loads((one_worker / "new" / "summary.json").read_text())
    earlier = read_earlier_run(one_worker / "new")
    assert earlier.sources == (str(clip),)
    assert {"jsonl", *FORMATS.split(",")} <= set(earlier.options["formats"])
    assert (earlier.options["video"], earlier.options["snapshots"]) == (True, True)
    settings = load_settings(None, {}, earlier.settings)
    assert settings.worker.model_dump(mode="json").items() >= summary["settings"]["worker"].items()
    assert list(earlier.differences(summary)) == []
    assert summary["changed_settings"] == {}
    assert summary["run"]["command"][:2] == ["posebus", "run"]
    assert (entry := summary["inputs"][0]["source"])["size_bytes"] == clip.stat().st_size, entry


def test_bad_input_is_reported_and_does_not_stop_the_other_one(three_workers: tuple[Path, Any]) -> None:
    folder, summary = three_workers
    assert summary == json.loads((folder / "summary.json").read_text())
    errors = {failed["name"]: failed["error"] for failed in summary["failed"]}
    assert set(errors) == {"missing", "pipe", "failing:3", "blocked", "taken"}
    assert all("cannot be written" in errors[name] for name in ("blocked", "taken"))
    assert "is a pipe, which can be read only once" in errors["pipe"]
    assert "unexpected ZeroDivisionError" in errors["failing:3"]
    (name, frames), (long_name, pictures) = ((entry["name"], entry["frames"]) for entry in summary["inputs"])
    assert (name, frames, pictures) == (NAME, FRAMES, 1)
    assert LONG_NAME.startswith(long_name)
    (line,) = frames_of(folder / f"{long_name}.tracks.jsonl")
    assert line["size_px"] == [256, 192]
    assert not list(folder.glob("*.mp4"))


def test_run_on_a_shared_broker_leaves_no_keys_and_cut_off_recordings_give_a_warning(
    shared_data: Path, engine_cache: Path, redis_server: str, tmp_path: Path
) -> None:
    connect(redis_server).flushall()
    cut = tmp_path / "cut off.avi"
    cut.write_bytes((shared_data / "vtest.avi").read_bytes()[:400_000])
    arguments = ["run", cut, cut, "--out", tmp_path, "--redis", redis_server, "--imgsz", "320"]
    done = posebus(engine_cache, *arguments, "--no-video", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    frames = summary["inputs"][0]["frames"]
    assert 10 < frames < 795
    assert [(entry["name"], entry["frames"]) for entry in summary["inputs"]] == [
        ("cut off", frames),
        ("cut off-2", frames),
    ]
    assert summary["dropped"] == 0
    assert {warning["name"] for warning in summary["warnings"]} == {"cut off", "cut off-2"}
    assert "is cut off" in summary["warnings"][0]["warning"]
    assert done.stderr.count("is cut off") == 2
    first, second = (frames_of(tmp_path / f"{name}.tracks.jsonl") for name in ("cut off", "cut off-2"))
    assert [{**frame, "camera": ""} for frame in first] == [{**frame, "camera": ""} for frame in second]
    assert broker_keys(redis_server) == set()


def test_interrupted_run_stops_its_children_and_keeps_partial_files(
    shared_data: Path, engine_cache: Path, redis_server: str, tmp_path: Path
) -> None:
    connect(redis_server).flushall()
    partial = tmp_path / "vtest.tracks.jsonl.partial"
    broker = ["--redis", redis_server]
    process = start(engine_cache, "run", shared_data / "vtest.avi", "--out", tmp_path, "--imgsz", "320", *broker)
    wait_until(lambda: partial.exists() and partial.stat().st_size > 0, "the first tracks")
    family = children(process.pid)
    assert len(family) >= 3
    process.send_signal(signal.SIGTERM)
    done = finish(process)
    assert done.returncode == 130
    assert "files that end in .partial are incomplete" in done.stderr
    assert alive(family) == set()
    lines = partial.read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(len(lines)))
    assert {path.name for path in tmp_path.iterdir()} == {
        "vtest.tracks.jsonl.partial",
        "vtest.mot.txt.partial",
        "vtest.events.jsonl.partial",
        "summary.json.partial",
    }
    assert broker_keys(redis_server) == set()


def test_unknown_weights_end_the_run_with_an_error(clip: Path, engine_cache: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"no weights")
    done = posebus(engine_cache, "run", clip, "--out", tmp_path / "out", "--model", weights)
    assert done.returncode == 1
    assert "weights.pt has an unknown sha256" in done.stderr
    assert "worker-1" in done.stderr


def test_invalid_arguments_are_reported_before_any_process_starts(
    clip: Path, engine_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "text.mp4").write_text("no video")
    unwritable = posebus(engine_cache, "run", clip, "--out", tmp_path / "file" / "out")
    assert (unwritable.returncode, unwritable.stdout) == (1, "")
    assert "no file can be written into the folder" in unwritable.stderr
    mixed = posebus(engine_cache, "run", tmp_path / "text.mp4", "rtsp://user:secret@host/x", "--out", tmp_path)
    assert (mixed.returncode, mixed.stdout) == (1, "")
    assert "analyse them in two runs" in mixed.stderr
    assert "secret" not in mixed.stderr
    all_bad = posebus(engine_cache, "run", tmp_path / "text.mp4", tmp_path / "none.mp4", "--out", tmp_path)
    assert all_bad.returncode == 1
    assert "text.mp4 is not a video" in all_bad.stderr
    assert "loading" not in all_bad.stderr
    assert len(json.loads((tmp_path / "summary.json").read_text())["failed"]) == 2
    without_workers = posebus(engine_cache, "run", clip, "--out", tmp_path, "--workers", "0")
    assert without_workers.returncode == 1
    assert "give its broker with --redis" in without_workers.stderr
