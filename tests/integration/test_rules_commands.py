"""Rules over a real recording: what `posebus run` writes, what `posebus rules test` shows, and rules from points."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml

from tests.clips import head
from tests.integration import run_command

FRAMES = 60
RULES: dict[str, Any] = {
    "gate": {"kind": "line", "points": [[320, 200], [320, 480]]},
    "left": {"kind": "zone", "points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]], "dwell_s": 1},
    "floor": {"kind": "fall"},
}


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a town with a camera's rules."""
    folder = tmp_path_factory.mktemp("rules")
    head(shared_data / "TUD-Stadtmitte.mp4", FRAMES, folder / "town.mp4")
    cameras = {"square": {"source": "rtsp://192.0.2.1/x", "rules": RULES}, "bare": {"source": "usb:0"}}
    (folder / "posebus.yaml").write_text(yaml.safe_dump({"cameras": cameras}))
    return folder


@pytest.fixture(scope="module")
def events(folder: Path, engine_cache: Path) -> list[dict[str, Any]]:
    """The events of rules that `posebus run` writes."""
    done = posebus(
        folder,
        engine_cache,
        "run",
        "@town.mp4",
        "-c",
        "@posebus.yaml",
        "--camera",
        "square",
        "--no-video",
        "-o",
        "@out",
    )
    assert done.returncode == 0, done.stderr
    lines = (folder / "out" / "town.events.jsonl").read_text().splitlines()
    return [one for one in map(json.loads, lines) if "happening" in one["data"]]


def posebus(folder: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command; arguments that begin with @ are files in the folder."""
    return run_command.posebus(cache, *(str(folder / one[1:]) if one.startswith("@") else one for one in arguments))


def try_out(folder: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return posebus(folder, cache, "rules", "test", *arguments)


def test_people_who_cross_the_square_give_events(events: list[dict[str, Any]]) -> None:
    kinds = [one["type"].removeprefix("posebus.") for one in events]
    # By eye: one person walks from the left half over the line to the right within two seconds, and nobody falls.
    assert kinds.count("line.crossed") == 1
    assert kinds.count("zone.entered") == kinds.count("zone.left") >= 3
    assert "fall.detected" not in kinds
    # The line leads down, and who walks down has the right half of the picture, side a, on the left.
    (crossed,) = (one for one in events if one["type"] == "posebus.line.crossed")
    assert (crossed["data"]["direction"], crossed["data"]["rule"]) == ("b_to_a", "gate")
    assert len({one["id"] for one in events}) == len(events)


def test_rules_over_saved_tracks_give_the_same_events(
    folder: Path, engine_cache: Path, events: list[dict[str, Any]]
) -> None:
    done = try_out(
        folder, engine_cache, "@out/town.tracks.jsonl", "-c", "@posebus.yaml", "--camera", "square", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == events
    assert sorted(path.name for path in folder.glob("posebus-rules*")) == []


def test_each_event_has_a_picture_of_its_frame(folder: Path, engine_cache: Path, events: list[dict[str, Any]]) -> None:
    done = try_out(
        folder,
        engine_cache,
        *("@out/town.tracks.jsonl", "-c", "@posebus.yaml", "--camera", "square"),
        *("--recording", "@town.mp4", "--out", "@tried"),
    )
    assert done.returncode == 0, done.stderr
    assert "gate: person" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{len(events)} events: floor 0, gate 1, left ")
    pictures = list((folder / "tried" / "events").glob("*.jpg"))
    assert len(pictures) == len(events)  # what was still happening is shown in the last frame
    assert {cv2.imread(str(path)).shape for path in pictures} == {(480, 640, 3)}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["@out/town.tracks.jsonl", "--camera", "sqare"],
            "no camera 'sqare' is in the configuration; did you mean",
        ),
        (["@out/town.tracks.jsonl", "--camera", "bare"], "the camera bare has no rules"),
        (["@none.tracks.jsonl", "--camera", "square"], "none.tracks.jsonl: give a recording"),
        (["@broken.tracks.jsonl", "--camera", "square"], "broken.tracks.jsonl:2: "),
        (["@out/town.tracks.jsonl", "--camera", "far"], "rule gate: its point [2000, 0] is outside the picture"),
    ],
)
def test_what_cannot_be_tried_is_one_sentence(
    folder: Path, engine_cache: Path, events: list[dict[str, Any]], arguments: list[str], says: str
) -> None:
    first = (folder / "out" / "town.tracks.jsonl").read_text().splitlines()[0]
    (folder / "broken.tracks.jsonl").write_text(f"{first}\n{first[:100]}")
    config = yaml.safe_load((folder / "posebus.yaml").read_text())
    config["cameras"]["far"] = {"source": "x", "rules": {"gate": {"kind": "line", "points": [[2000, 0], [5, 5]]}}}
    (folder / "wrong.yaml").write_text(yaml.safe_dump(config))
    done = try_out(folder, engine_cache, *arguments, "-c", "@wrong.yaml", "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("posebus: ")
    assert says in line


def test_a_rule_from_points_is_drawn_printed_and_saved(folder: Path, engine_cache: Path) -> None:
    config = folder / "drawn.yaml"
    config.write_text("cameras:\n  square:\n    source: town.mp4  # the town\n")
    done = posebus(
        folder,
        engine_cache,
        *("rules", "draw", "@town.mp4", "-c", "@drawn.yaml", "--camera", "square", "--name", "till", "--save"),
        *("-o", "@till.png", "--points", "0,0 320,0 320,480", "--set", "dwell_s=30"),
    )
    assert done.returncode == 0, done.stderr
    printed = yaml.safe_load(done.stdout.split("drawn in")[0])
    rule = {"kind": "zone", "points": [[0, 0], [320, 0], [320, 480]], "dwell_s": 30}
    assert printed == {"rules": {"till": rule}}
    assert "# the town" in config.read_text()
    assert yaml.safe_load(config.read_text())["cameras"]["square"]["rules"] == {"till": rule}
    assert cv2.imread(str(folder / "till.png")).shape == (480, 640, 3)


def test_points_that_make_no_rule_are_one_sentence_with_its_name(folder: Path, engine_cache: Path) -> None:
    crossing = ("--name", "till", "--points", "0,0 9,9 9,0 0,9")
    done = posebus(folder, engine_cache, "rules", "draw", "@town.mp4", "-o", "@none.png", *crossing)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("posebus: rule till: points: must not cross itself")
    assert not (folder / "none.png").exists()
