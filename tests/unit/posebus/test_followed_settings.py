"""The followed file: rewritten, replaced, linked, missing, half-written, broken; and values on top of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from posebus.config.loading import load_settings
from posebus.errors import ConfigError
from posebus.reloading.followed import FollowedSettings, Update
from posebus.reloading.sentences import fixed_lines, update_lines
from tests.configuration_edits import Edit, Edits

FIRST = "cameras:\n  hall: {source: 'usb:0'}\n  door: {source: 'usb:1', max_fps: 5}\n"


class Clock:
    """A process that polls ten times a second, without any waiting."""

    def __init__(self, followed: FollowedSettings) -> None:
        self.now_s = 0.0
        self._followed = followed

    def polls(self, seconds: float) -> list[Update]:
        found = []
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            update = self._followed.poll(self.now_s)
            found += [] if update is None else [update]
        return found


def following(path: Path, text: str = FIRST, **overrides: object) -> tuple[FollowedSettings, Clock]:
    path.write_text(text)
    followed = FollowedSettings(path, {}, {name.replace("__", "."): value for name, value in overrides.items()})
    clock = Clock(followed)
    assert clock.polls(1) == []
    return followed, clock


def test_the_first_settings_are_those_that_every_command_loads(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text(FIRST)
    environ, overrides = {"POSEBUS_CAMERAS__HALL__MAX_FPS": "7"}, {"worker.imgsz": 320}
    assert FollowedSettings(path, environ, overrides).settings == load_settings(path, environ, overrides)
    assert FollowedSettings(None, environ | {"POSEBUS_CAMERAS__HALL__SOURCE": "usb:0"}, overrides).settings.cameras
    with pytest.raises(ConfigError, match="does not exist"):
        FollowedSettings(tmp_path / "no.yaml", {}, {})
    with pytest.raises(ConfigError, match="it is a folder"):
        FollowedSettings(tmp_path, {}, {})


def test_overrides_that_depend_on_the_first_settings_are_added_without_reading_the_file_again(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, FIRST.encode())
    os.close(write_end)
    try:
        followed = FollowedSettings(Path(f"/dev/fd/{read_end}"), {}, {"worker.imgsz": 320})
        followed.add({"cameras": {"gate": {"source": "usb:2"}}, "log_level": None})
    finally:
        os.close(read_end)
    settings = followed.settings
    assert (list(settings.cameras), settings.worker.imgsz) == (["hall", "door", "gate"], 320)
    assert "log_level" not in settings.model_fields_set


def test_added_overrides_stay_on_top_of_a_file_that_changes(tmp_path: Path) -> None:
    followed, clock = following(tmp_path / "posebus.yaml")
    followed.add({"cameras": {"gate": {"source": "usb:2"}}})
    assert clock.polls(1) == []
    (tmp_path / "posebus.yaml").write_text("cameras: {hall: {source: 'usb:0'}}")
    (update,) = clock.polls(1)
    assert list(update.settings.cameras) == ["hall", "gate"]


def test_a_file_that_is_rewritten_in_place_is_applied_once_it_stays_the_same(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path)
    whole = FIRST + "  gate: {source: 'usb:2'}\n"
    with path.open("w") as file:  # its first half is valid YAML without the last two cameras
        file.write(whole[: len(FIRST) // 2])
        file.flush()
        assert clock.polls(0.2) == []
        file.write(whole[len(FIRST) // 2 :])
    (update,) = clock.polls(1)
    assert update.difference.added == ("gate",)
    assert (update.difference.removed, update.difference.changed) == ((), {})
    assert followed.settings == update.settings == load_settings(path, {}, {})


def test_files_that_are_replaced_and_links_that_are_moved_are_followed(tmp_path: Path) -> None:
    # As Kubernetes mounts a ConfigMap: posebus.yaml -> ..data/posebus.yaml, and ..data -> a folder with a date.
    for number in range(3):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "posebus.yaml").write_text(f"worker: {{conf: 0.{number + 1}}}\n")
    (tmp_path / "..data").symlink_to("..0")
    path = tmp_path / "posebus.yaml"
    path.symlink_to("..data/posebus.yaml")
    followed = FollowedSettings(path, {}, {})
    clock = Clock(followed)
    for number in (1, 2):
        clock.polls(0.5)
        (tmp_path / "..next").symlink_to(f"..{number}")
        (tmp_path / "..next").replace(tmp_path / "..data")
        (update,) = clock.polls(1)
        assert [change.after for change in update.difference.worker] == [(number + 1) / 10]
    new = tmp_path / "new.yaml"  # an editor writes another file and renames it
    new.write_text("worker: {conf: 0.5}\n")
    new.replace(path)
    assert [update.settings.worker.conf for update in clock.polls(1)] == [0.5]


def test_a_change_with_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    _, clock = following(path)
    before = path.stat()
    with path.open("r+") as file:
        file.write(FIRST.replace("max_fps: 5", "max_fps: 6"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [sorted(update.difference.changed) for update in clock.polls(4)] == [["door"]]


def test_a_file_that_is_missing_for_a_moment_is_none_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path)
    text = path.read_text()
    path.unlink()
    assert clock.polls(2) == []
    path.write_text(text)
    assert clock.polls(2) == []
    path.unlink()
    (update,) = clock.polls(20)
    assert update.problem is not None
    assert str(path) in update.problem
    assert "is missing" in update.problem
    path.write_text(text)
    (update,) = clock.polls(2)
    assert (update.problem, bool(update.difference)) == (None, False)
    assert sorted(followed.settings.cameras) == ["door", "hall"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (FIRST.replace("max_fps: 5", "max_fps: 0"), ":3:"),
        (FIRST + "worker {imgsz: 320}\n", ":4:"),
        (FIRST.replace("hall:", "hall"), ":2:"),
        ("\xff", "UTF-8"),
        ("", "is empty"),
    ],
)
def test_a_broken_file_is_reported_once_with_its_line_and_changes_nothing(
    text: str, place: str, tmp_path: Path
) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path)
    before = followed.settings
    path.write_bytes(text.encode("latin-1"))
    (update,) = clock.polls(10)
    assert update.problem is not None
    assert str(path) in update.problem
    assert place in update.problem
    assert followed.settings == before
    assert not update.difference
    path.write_text(FIRST + "  gate: {source: 'usb:2'}\n")
    (update,) = clock.polls(2)
    assert update.difference.added == ("gate",)


def test_a_reload_that_is_asked_for_is_answered_at_once_whatever_came_of_it(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path)
    path.write_text(FIRST.replace("max_fps: 5", "max_fps: 6"))
    followed.request_reload()
    (update,) = clock.polls(0.1)
    assert "door" in update.difference.changed
    followed.request_reload()
    (update,) = clock.polls(2)
    assert (update.problem, bool(update.difference)) == (None, False)
    path.write_text("cameras: [")
    followed.request_reload()
    assert [update.problem is not None for update in clock.polls(2)] == [True]
    path.unlink()
    followed.request_reload()
    assert ["is missing" in str(update.problem) for update in clock.polls(10)] == [True]


def test_settings_that_need_a_restart_stay_and_are_reported_once_without_credentials(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path, "redis: redis://joe:hunter2@one:6379\n" + FIRST)
    followed.pin(redis="redis://127.0.0.1:1")
    other = "redis: redis://joe:hunter3@two:6379\nshards: 4\nfleet: {workers: 2, stop_timeout_s: 3}\n" + FIRST
    path.write_text(other)
    (update,) = clock.polls(1)
    assert [change.field for change in update.difference.fleet] == ["fleet.workers"]
    lines = list(fixed_lines(update.fixed))
    assert [line.split()[0] for line in lines] == ["redis", "shards", "fleet.stop_timeout_s"]
    assert all("restart" in line for line in lines)
    assert "hunter" not in " ".join(lines)
    assert "one:6379" in lines[0]
    assert "two:6379" in lines[0]
    assert (followed.settings.redis, followed.settings.shards) == ("redis://127.0.0.1:1", 1)
    assert (followed.settings.fleet.workers, followed.settings.fleet.stop_timeout_s) == (2, 10.0)
    path.write_text(other.replace("max_fps: 5", "max_fps: 6"))
    (update,) = clock.polls(1)
    assert (update.fixed, list(update.difference.changed)) == ((), ["door"])


def test_options_and_environment_stay_on_top_of_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path, FIRST, fleet__workers=3)
    path.write_text(FIRST + "fleet: {workers: 1, trackers: 2}\n")
    (update,) = clock.polls(1)
    assert [change.field for change in update.difference.fleet] == ["fleet.trackers"]
    assert followed.settings.fleet.workers == 3


def test_overrides_change_fields_and_cameras_until_they_are_withdrawn(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path, FIRST + "  a.b: {source: 'usb:3'}\n")
    changes = {
        "worker.conf": 0.25,
        "cameras.hall.paused": True,
        "cameras.gate": {"source": "usb:9", "max_fps": 2},
        "cameras.door": None,
        "cameras.a.b.max_fps": 4,
    }
    followed.set_overrides(changes)
    (update,) = clock.polls(0.1)
    assert (update.difference.added, update.difference.removed) == (("gate",), ("door",))
    assert sorted(update.difference.changed) == ["a.b", "hall"]
    assert followed.settings.worker.conf == 0.25
    assert followed.settings.cameras["a.b"].max_fps == 4
    path.write_text(FIRST.replace("max_fps: 5", "max_fps: 6") + "worker: {conf: 0.3}\n")
    (update,) = clock.polls(1)
    assert update.difference.removed == ("a.b",)
    assert (followed.settings.worker.conf, sorted(followed.settings.cameras)) == (0.25, ["gate", "hall"])
    followed.set_overrides({"worker.conf": None, "cameras.door": {}, "cameras.hall.paused": None, "cameras.gate": None})
    (update,) = clock.polls(0.1)
    assert followed.settings == load_settings(path, {}, {})
    assert clock.polls(3) == []


@pytest.mark.parametrize(
    "wrong", [{"worker.conf": 7}, {"worker.no": 1}, {"cameras.hall": 3}, {"cameras": 3}, {"cameras.x": {}}, {"": 1}]
)
def test_overrides_that_do_not_fit_are_refused_and_change_nothing(wrong: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path)
    before = followed.settings
    if wrong == {"cameras.x": {}}:
        followed.set_overrides(wrong)  # it says nothing about any camera
    else:
        with pytest.raises(ConfigError):
            followed.set_overrides(wrong)
    assert clock.polls(1) == []
    assert followed.settings == before


def test_an_override_of_a_camera_ends_with_the_camera(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path)
    followed.set_overrides({"cameras.hall.paused": True})
    clock.polls(1)
    path.write_text(FIRST.replace("  hall: {source: 'usb:0'}\n", ""))
    assert [update.difference.removed for update in clock.polls(1)] == [("hall",)]
    path.write_text(FIRST)
    assert [update.difference.added for update in clock.polls(1)] == [("hall",)]
    assert not followed.settings.cameras["hall"].paused


def test_a_pipe_is_read_once_and_not_followed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(FIRST,))
    writer.start()
    followed = FollowedSettings(pipe, {}, {})
    writer.join()
    assert sorted(followed.settings.cameras) == ["door", "hall"]
    assert not followed.can_change
    followed.request_reload()
    assert all(not update.difference for update in Clock(followed).polls(5))


def test_each_change_is_one_line_without_credentials(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    text = FIRST + "  gate: {source: 'rtsp://joe:hunter2@cam/live'}\n  yard: {source: 'usb:5'}\n"
    _, clock = following(path, text)
    path.write_text(
        text.replace("hunter2@cam", "hunter3@other")
        .replace("max_fps: 5", "max_fps: 6, paused: true")
        .replace("  yard: {source: 'usb:5'}\n", "  lab: {source: 'usb:6'}\n")
        + "worker: {conf: 0.2}\ntracker: {lost_s: 9}\nfleet: {workers: 3, trackers: 0}\n"
    )
    (update,) = clock.polls(1)
    assert update_lines(update) == [
        "camera yard is removed: its source and its tracks end",
        "camera lab is added",
        "camera door is paused",
        "camera door changes: max_fps was 5.0 and is 6.0",
        "camera gate starts again: source was rtsp://***@cam/live and is rtsp://***@other/live",
        "fleet.workers was 1 and is 3: 2 workers more",
        "fleet.trackers was 1 and is 0: 1 tracker less",
        "worker.conf was 0.1 and is 0.2: workers load what they need for it, and then change over",
        "tracker.lost_s was 4.0 and is 9.0: trackers go on by it, with the same identities",
    ]


def test_after_hundreds_of_random_edits_the_settings_are_those_of_the_last_valid_file(
    tmp_path: Path, thorough: bool
) -> None:
    path = tmp_path / "posebus.yaml"
    followed, clock = following(path, "cameras:\n  first: {source: 'usb:0'}\n")
    edits = Edits(17, "cameras:\n  first: {source: 'usb:0'}", most_workers=3)
    want = Edit("", {})
    valid = broken = 0
    for _ in range(3000 if thorough else 300):
        edit = edits.next()
        edits.write(edit, path)
        updates = clock.polls(1)
        reported = [update.problem for update in updates if update.problem is not None]
        if edit.cameras is None:
            broken += 1
            assert len(reported) <= 1  # the same broken file is reported once
        else:
            valid += 1
            assert not reported
            want = edit
        found = {name: camera for name, camera in followed.settings.cameras.items() if name != "first"}
        assert found.keys() == (want.cameras or {}).keys()
        for name, width_px in (want.cameras or {}).items():
            assert found[name].paused == (width_px is None)
            assert found[name].source.endswith(f"width={width_px or 128}")
        assert followed.settings.fleet.workers == want.workers
        assert followed.settings.fleet.trackers == want.trackers
    assert min(valid, broken) > 50
