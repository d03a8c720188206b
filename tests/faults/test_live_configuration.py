"""The file of a running deployment is edited under load: four cameras lose no frame and no identity, the others follow.

The four play a recording of one picture of four people in real time and lossless, so that a busy machine loses nothing
either: all frames have to come, in one epoch, half a second after each other, with the same people.
"""

from __future__ import annotations

import itertools
import signal
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import pytest

from tests.clips import photograph
from tests.configuration_edits import Edit, Edits
from tests.faults.running_deployment import RunningDeployment

NOT_USED = "the configuration is not used"
STEADY = ("one", "two", "three", "four")
FPS = 2
SECONDS = 600
SIZE_PX = (240, 320)

pytestmark = pytest.mark.timeout(1800)


def recording(path: Path) -> Path:
    """One picture of people, so often that it lasts SECONDS."""
    picture = av.open(str(photograph("bus.jpg")))
    frame = next(picture.decode(video=0)).reformat(*SIZE_PX, "yuv420p")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = *SIZE_PX, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        for number in range(SECONDS * FPS):
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def head(clip: Path) -> str:
    steady = [f"  {name}: {{source: {clip}, realtime: true, delivery: lossless}}" for name in STEADY]
    worker = "worker: {imgsz: 320, imgsz_max: 320, motion_gate: 'off'}"
    return "\n".join([worker, "cameras:", *steady])


def write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_edits_under_load_take_effect_and_four_cameras_lose_nothing(
    tmp_path: Path, engine_cache: Path, thorough: bool
) -> None:
    config = tmp_path / "posebus.yaml"
    edits = Edits(17, head(recording(tmp_path / "people.mp4")), most_workers=2 if thorough else 1)
    fleet = "fleet: {workers: 1, trackers: 1}\n"
    config.write_text(f"{edits.head}\n{fleet}")
    with RunningDeployment(config, engine_cache) as running:
        tracked = "tracks of four cameras"  # the network may have to be exported, and the tracker to be compiled
        running.wait_until(lambda: all(len(running.frames[name]) > 5 for name in STEADY), tracked, 600)
        pids = running.pids()
        assert sorted(pids) == sorted(STEADY)
        _one_camera_comes_changes_and_goes(running, edits.head, fleet)
        _settings_of_a_running_deployment_change(running, edits.head, thorough=thorough)
        _random_edits(running, edits, 100 if thorough else 4)
        running.wait_until(lambda: all(len(running.frames[name]) > 30 for name in STEADY), "many frames")
        left = {name: pid for name, pid in running.pids().items() if name in STEADY}
        assert left == pids, "a process of a camera that did not change was started again"
    for name in STEADY:
        _lost_nothing(running, name)


def _one_camera_comes_changes_and_goes(running: RunningDeployment, head: str, fleet: str) -> None:
    def extra(text: str) -> None:
        write(running.config, f"{head}\n  extra: {{source: 'synthetic:bus?fps=4&height=96&width={text}}}\n{fleet}")

    extra("128'")
    running.wait_until(lambda: running.widths().get("extra") == 128, "the camera that was added")
    extra("160'")
    running.wait_until(lambda: running.widths().get("extra") == 160, "the camera that was changed")
    extra("160', paused: true")
    running.wait_until(lambda: "extra" not in running.pids(), "the end of the camera that was paused")
    extra("160'")
    online = "camera.online", None
    running.wait_until(lambda: running.events_of("extra").count(online) == 3, "the camera that goes on")
    tracks = len(running.frames["extra"])
    write(running.config, f"{head}\n{fleet}")
    running.wait_until(lambda: "extra" not in running.pids(), "the end of the camera that was removed")
    cameras = running.registry.cameras
    running.wait_until(lambda: "extra" not in {one.camera for one in cameras()}, "its entry to go")
    running.wait_until(lambda: ("camera.ended", "removed") in running.events_of("extra"), "the end of its source")
    camera_events = [event for event in running.events_of("extra") if event[0] in ("camera.online", "camera.offline")]
    reasons = [reason for kind, reason in camera_events if kind == "camera.offline"]
    assert reasons == ["its settings changed", "paused", "removed"]
    started = {kind for kind, _ in running.events_of("extra")}
    assert "track.ended" in started or "track.started" not in started
    assert len(running.frames["extra"]) >= tracks  # what it published stays


def _settings_of_a_running_deployment_change(running: RunningDeployment, head: str, *, thorough: bool) -> None:
    """Worker, tracker and fleet, an engine that fails, a setting that needs a restart, SIGHUP, a broken file."""
    settings = head.replace("imgsz_max: 320", "imgsz_max: 320, conf: 0.12")
    write(
        running.config, f"{settings}\ntracker: {{lost_s: 5}}\nfleet: {{trackers: {2 if thorough else 1}}}\nshards: 3\n"
    )
    running.wait_until(lambda: "changed over to yolo11n-pose" in running.log, "the new engine")
    running.wait_until(lambda: running.ready("tracker") == (2 if thorough else 1), "another tracker")
    assert "shards cannot change while posebus runs: it stays 1; restart posebus to use 3" in running.log
    write(running.config, f"{settings.replace('conf: 0.12', 'conf: 0.12, model: no-such-model')}\n")
    running.wait_until(lambda: "worker.model: " in running.log, "the refusal of weights that are missing")
    write(running.config, f"{settings}\ntracker: {{lost_s: 5}}\ncameras_: 1\n")
    running.wait_until(lambda: "cameras_: there is no such field" in running.log, "the broken file in the log")
    line = len(settings.splitlines()) + 2
    assert f"{running.config}:{line}:1: cameras_" in running.log
    running.process.send_signal(signal.SIGHUP)
    running.wait_until(lambda: running.log.count("cameras_: there is no such field") == 2, "the answer to SIGHUP")


def _random_edits(running: RunningDeployment, edits: Edits, number: int) -> None:
    """Make many edits in quick succession; every few, the state becomes that of the last valid one, and stays so.

    A valid file that is broken a moment later may not have been seen, so it is written again before the look.
    """
    want = Edit("", {})
    for index in range(number):
        edit = edits.next()
        edits.write(edit, running.config)
        want = want if edit.cameras is None else edit
        for _ in range(edits.pause_polls()):
            running.read()
        if index % 6 != 5 and index != number - 1:
            continue
        if edit is not want:
            edits.write(want, running.config)
        state = partial(_is_state, running, want)
        running.wait_until(state, f"the state {want}")
        refused = running.log.count(NOT_USED)
        edits.write(edits.broken(), running.config)
        running.wait_until(
            lambda refused=refused: running.log.count(NOT_USED) > refused, "the refusal of a broken file"
        )
        assert state()


def _is_state(running: RunningDeployment, want: Edit) -> bool:
    widths = {name: width for name, width in (want.cameras or {}).items() if width is not None}
    found = {name: width for name, width in running.widths().items() if name not in STEADY}
    processes = running.ready("worker"), running.ready("tracker")
    return (found, processes) == (widths, (want.workers, want.trackers))


def _lost_nothing(running: RunningDeployment, camera: str) -> None:
    frames = running.frames[camera]
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert len({frame.epoch for frame in frames}) == 1
    times_ns = [frame.captured_at_ns for frame in frames]
    assert {round((later - first) * FPS / 1e9, 3) for first, later in itertools.pairwise(times_ns)} == {1.0}
    people = [{track.id for track in frame.tracks if track.state == "confirmed"} for frame in frames[10:]]
    assert all(one == people[0] for one in people)
    assert len(people[0]) >= 3
    kinds = {kind for kind, _ in running.events_of(camera)}
    assert not kinds & {"camera.gap", "camera.ended", "camera.offline", "track.ended"}
