"""The processes of cameras follow the settings one by one: processes in memory, files on disk."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.leaving import CHANGED, REMOVED, STOPPED, reason_from
from ingest.supervision import REMOVAL, CameraFiles, CameraProcesses
from posebus.config.settings import CameraSettings, Settings, WorkerSettings
from posebus.runtime.processes import EXIT_DONE, EXIT_FATAL
from posebus.telemetry.camera_state import CameraState
from tests.unit.ingest.memory_children import MemoryChildren


class Machine:
    """The supervisor of one machine whose children are in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children = MemoryChildren()
        self.off: dict[str, str] = {}
        self.cameras = CameraProcesses(self.children, CameraFiles(folder), self._wanted)
        self.now_s = 0.0

    def use(self, **cameras: CameraSettings | str) -> None:
        found = {name: CameraSettings(source=one) if isinstance(one, str) else one for name, one in cameras.items()}
        self.cameras.use(Settings(cameras=found))

    def steps(self, number: int = 1) -> list[str]:
        """Let so many seconds pass; return what was started."""
        before = len(self.children.started)
        for _ in range(number):
            self.now_s += 1.0
            self.cameras.step(self.now_s)
        return self.children.started[before:]

    def reason(self, camera: str, running: CameraSettings) -> str:
        return reason_from(self.folder / f"{camera}.camera.yaml", camera, running).reason

    def _wanted(self, settings: Settings) -> tuple[list[str], Mapping[str, str]]:
        off = {name: "paused" for name, camera in settings.cameras.items() if camera.paused} | self.off
        return [name for name in settings.cameras if name not in off], off


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_only_the_process_of_a_changed_camera_starts_again(machine: Machine) -> None:
    machine.use(a="usb:0", b="usb:1")
    assert machine.steps() == ["a", "b"]
    assert machine.steps(3) == []
    machine.use(a="usb:0", b=CameraSettings(source="usb:1", max_fps=4))
    assert machine.reason("b", CameraSettings(source="usb:1")) == CHANGED
    assert machine.reason("a", CameraSettings(source="usb:0")) == STOPPED
    assert machine.steps() == ["b"]
    assert machine.children.going == ["b"]
    assert machine.children.settings("b") == CameraSettings(source="usb:1", max_fps=4)
    assert machine.steps(3) == []


def test_cameras_whose_processes_have_ended_for_good_are_over_until_their_settings_change(machine: Machine) -> None:
    machine.use(a="usb:0", b="usb:1", c="usb:2")
    machine.steps()
    assert machine.cameras.over == {}
    machine.children.end("a", EXIT_DONE)
    machine.children.end("b", EXIT_FATAL)
    machine.steps()
    assert machine.cameras.over == {"a": CameraState.ENDED, "b": CameraState.GIVEN_UP}
    machine.use(a="usb:0", b="usb:3", c="usb:2")
    assert machine.steps() == ["b"]
    assert machine.cameras.over == {"a": CameraState.ENDED}


def test_a_camera_that_is_added_disturbs_no_other(machine: Machine) -> None:
    machine.use(a="usb:0")
    machine.steps()
    machine.use(a="usb:0", b="usb:1")
    assert machine.steps(3) == ["b"]
    assert machine.children.going == []


def test_a_removed_camera_ends_and_its_removal_begins_when_it_has_ended(machine: Machine) -> None:
    machine.use(a="usb:0", b="usb:1")
    machine.steps()
    machine.use(a="usb:0")
    assert machine.reason("b", CameraSettings(source="usb:1")) == REMOVED
    assert machine.steps(3) == []
    machine.children.going.clear()
    assert machine.steps(3) == [f"{REMOVAL}b"]
    machine.children.end(f"{REMOVAL}b")
    assert machine.steps(3) == []
    assert sorted(machine.children.alive) == ["a"]


def test_a_camera_that_comes_back_during_its_removal_waits_for_the_end_of_that(machine: Machine) -> None:
    machine.use(a="usb:0", b="usb:1")
    machine.steps()
    machine.use(a="usb:0")
    machine.steps()
    machine.children.going.clear()
    assert machine.steps() == [f"{REMOVAL}b"]
    machine.use(a="usb:0", b="usb:1")
    assert machine.steps(3) == []
    assert machine.children.going == [f"{REMOVAL}b"]
    machine.children.going.clear()
    assert machine.steps(3) == ["b"]


def test_paused_cameras_and_those_off_by_their_schedule_do_not_run_and_come_back(machine: Machine) -> None:
    machine.use(a="usb:0", b="usb:1")
    machine.steps()
    machine.use(a="usb:0", b=CameraSettings(source="usb:1", paused=True))
    assert machine.reason("b", CameraSettings(source="usb:1")) == "paused"
    machine.steps()
    assert sorted(machine.children.alive) == ["a"]
    assert machine.cameras.off == {"b": "paused"}
    machine.use(a="usb:0", b="usb:1")
    assert machine.steps(3) == ["b"]
    machine.off = {"a": "off until Mon 07:00 CET"}
    machine.steps(2)
    assert sorted(machine.children.alive) == ["b"]
    assert not machine.cameras.finished
    machine.off = {}
    assert machine.steps(2) == ["a"]


def test_a_paused_camera_that_is_removed_is_taken_off_the_list(machine: Machine) -> None:
    machine.use(a="usb:0", b=CameraSettings(source="usb:1", paused=True))
    assert machine.steps() == ["a"]
    machine.use(a="usb:0")
    assert machine.steps() == [f"{REMOVAL}b"]


def test_sources_that_ended_or_were_given_up_start_again_only_when_they_change(machine: Machine) -> None:
    machine.use(a="clip.mp4", b="usb:1")
    machine.steps()
    machine.children.end("a")
    machine.children.end("b", EXIT_FATAL)
    assert machine.steps(3) == []
    assert machine.cameras.finished
    assert machine.cameras.rejected == {"b"}
    machine.use(a="clip.mp4", b="usb:1", c="usb:2")
    assert machine.steps(3) == ["c"]
    assert not machine.cameras.finished
    machine.use(a="clip.mp4", b="usb:3", c="usb:2")
    assert machine.steps(3) == ["b"]
    assert machine.cameras.rejected == set()


def test_settings_of_workers_restart_the_cameras_whose_inference_they_decide(machine: Machine) -> None:
    cameras = {"a": CameraSettings(source="usb:0"), "b": CameraSettings(source="usb:1", infer_fps=5)}
    machine.cameras.use(Settings(cameras=cameras))
    machine.steps()
    machine.cameras.use(Settings(cameras=cameras, worker=WorkerSettings(conf=0.3, threads=1)))
    assert machine.steps(3) == []
    machine.cameras.use(Settings(cameras=cameras, worker=WorkerSettings(conf=0.3, infer_fps=3)))
    assert machine.steps(3) == ["a"]


def test_hundreds_of_random_settings_end_in_the_processes_of_the_last_ones(machine: Machine, thorough: bool) -> None:
    rng = random.Random(17)
    names = [f"cam{number}" for number in range(6)]
    for _ in range(2000 if thorough else 300):
        chosen = {
            name: CameraSettings(source=f"usb:{rng.randrange(3)}", paused=rng.random() < 0.2)
            for name in names
            if rng.random() < 0.6
        }
        machine.cameras.use(Settings(cameras=chosen))
        for _ in range(rng.randrange(4)):
            machine.steps()
            if machine.children.going and rng.random() < 0.5:
                machine.children.going.pop(0)
            removals = [name for name in machine.children.alive if name.startswith(REMOVAL)]
            if removals and rng.random() < 0.5:
                machine.children.end(removals[0], rng.choice((EXIT_DONE, EXIT_FATAL)))
    while machine.steps() or machine.children.going or any(map(_is_removal, machine.children.alive)):
        machine.children.going.clear()
        for name in filter(_is_removal, machine.children.alive):
            machine.children.end(name)
    wanted = {name: camera for name, camera in chosen.items() if not camera.paused}
    assert {name: machine.children.settings(name) for name in machine.children.alive} == wanted
    assert {path.name for path in machine.folder.glob("*.camera.yaml")} == {f"{name}.camera.yaml" for name in chosen}


def _is_removal(name: str) -> bool:
    return name.startswith(REMOVAL)
