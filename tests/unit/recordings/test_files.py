"""The text files of a recording."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import samples

from posebus.contract.public_json import track_frame_to_json
from posebus.errors import OutputError
from posebus.messages import Renaming, TrackFrame
from recordings.results.files import make_folder
from recordings.results.formats.lines import mot_lines
from recordings.results.tracks_writer import TracksWriter


def test_line_is_the_streams_message_with_the_name_of_the_file_as_camera(tmp_path: Path) -> None:
    frame = samples.track_frame(3)
    with TracksWriter(tmp_path, "my clip") as writer:
        writer.write(replace(frame, epoch=1796060312000000), samples.PROVENANCE)
        writer.complete()
    line = json.loads((tmp_path / "my clip.tracks.jsonl").read_text())
    expected = track_frame_to_json(frame, samples.PROVENANCE, samples.PROVENANCE.published_at_ns)
    assert line == {**expected, "camera": "my clip"}


def test_mot_rows_are_confirmed_tracks_in_pixels_from_frame_1() -> None:
    box = samples.np.array((10.5, 20.0, 30.25, 60.126), samples.np.float32)
    states = ("confirmed", "lost", "tentative", "ended")
    tracks = tuple(samples.Track(i + 1, box, 0.87654, None, state, 1.0) for i, state in enumerate(states))
    hidden = samples.Track(9, box, 0.5, None, "confirmed", 1.0, coasted=True)
    frame = samples.TrackFrame("door", 1, 0, 0, (64, 48), (*tracks, hidden))
    assert list(mot_lines(frame)) == [
        "1,1,10.50,20.00,19.75,40.13,0.8765,-1,-1,-1\n",
        "1,9,10.50,20.00,19.75,40.13,0.5000,-1,-1,-1\n",
    ]


def test_files_get_their_final_names_when_they_are_complete(tmp_path: Path) -> None:
    (tmp_path / "clip.mot.txt").write_text("of an older run")
    with TracksWriter(tmp_path, "clip") as writer:
        writer.write(samples.track_frame(0), samples.PROVENANCE)
    assert (tmp_path / "clip.mot.txt").read_text() == "of an older run"
    assert not (tmp_path / "clip.tracks.jsonl").exists()
    assert len((tmp_path / "clip.tracks.jsonl.partial").read_text().splitlines()) == 1


def confused(seq: int, *ids: int, renamed: tuple[Renaming, ...] = ()) -> TrackFrame:
    """A frame of 25 a second."""
    return replace(samples.track_frame(seq, ids=ids), renamed=renamed)


@pytest.mark.parametrize("ending", ["complete", "interrupted"])
def test_files_have_the_final_numbers_whether_the_run_is_interrupted_or_not(tmp_path: Path, ending: str) -> None:
    """3 is 5 since frame 1, and 5 is found to be 8 a little later; only what is final is written meanwhile."""
    with TracksWriter(tmp_path, "clip") as writer:
        for seq in range(4):
            writer.write(confused(seq, 3), samples.PROVENANCE)
        writer.write(confused(4, 5, renamed=(Renaming(3, 5, 1),)), samples.PROVENANCE)
        writer.write(confused(5, 8, renamed=(Renaming(5, 8, 3),)), samples.PROVENANCE)
        for seq in range(6, 60):
            writer.write(confused(seq, 8), samples.PROVENANCE)
        if ending == "complete":
            writer.complete()
    name = {"complete": "", "interrupted": ".partial"}[ending]
    lines = [json.loads(line) for line in (tmp_path / f"clip.tracks.jsonl{name}").read_text().splitlines()]
    expected = [3, 5, 5, *[8] * 57]
    assert [line["tracks"][0]["id"] for line in lines] == expected
    assert [line["seq"] for line in lines] == list(range(60))
    assert not any(line["renamed"] for line in lines)
    rows = (tmp_path / f"clip.mot.txt{name}").read_text().splitlines()
    assert [int(row.split(",")[1]) for row in rows] == expected


def test_frames_held_back_when_a_recording_restarts_are_dropped(tmp_path: Path) -> None:
    with TracksWriter(tmp_path, "clip") as writer:
        writer.write(confused(3, 3), samples.PROVENANCE)
        writer.restart()
        writer.write(confused(4, 5, renamed=(Renaming(3, 5, 1),)), samples.PROVENANCE)
        writer.complete()
    (line,) = (tmp_path / "clip.tracks.jsonl").read_text().splitlines()
    assert json.loads(line)["seq"] == 4


def test_restarted_recording_leaves_nothing_of_its_first_attempt(tmp_path: Path) -> None:
    with TracksWriter(tmp_path, "clip") as writer:
        writer.write(samples.track_frame(0), samples.PROVENANCE)
        writer.restart()
        writer.write(samples.track_frame(7), samples.PROVENANCE)
        writer.complete()
    lines = (tmp_path / "clip.tracks.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [7]
    assert {row.split(",")[0] for row in (tmp_path / "clip.mot.txt").read_text().splitlines()} == {"8"}


def test_names_with_undecodable_bytes_give_valid_json(tmp_path: Path) -> None:
    with TracksWriter(tmp_path, "clip\udcff") as writer:
        writer.write(samples.track_frame(0), samples.PROVENANCE)
        writer.complete()
    (path,) = tmp_path.glob("*.jsonl")
    assert json.loads(path.read_text())["camera"] == "clip\udcff"


def test_unwritable_folder_is_an_output_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OutputError, match=r"no file can be written into the folder .*file/out"):
        make_folder(file / "out")
    make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_full_disk_is_an_output_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    from recordings.results.files import PartialFile

    class Full(PartialFile):
        def __init__(self) -> None:
            self.path = full
            self._file = full.open("w", encoding="utf-8")

    file = Full()
    file.write("x")
    with pytest.raises(OutputError, match="/dev/full cannot be written: No space left"):
        file.close()
