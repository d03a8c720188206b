"""What the arguments of a command name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recordings.inputs.listing import Listing, list_inputs
from recordings.inputs.names import unique_names

VIDEO = b"\0\0\0\x18ftypisom\0\0\0\0isom"
PICTURE = b"\x89PNG\r\n\x1a\n"


def put(folder: Path, *names: str, content: bytes = b"x") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def wanted(listing: Listing) -> list[str]:
    return [one.wanted for one in listing.inputs]


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    put(tmp_path / "v", "clip10.mp4", "clip2.MP4", "day 1/cam.avi", "day 2/cam.avi", "notes.txt", ".hidden.mp4")
    put(tmp_path / "v", "clip3.mp4.part", "clip4.mkv.crdownload", "readme")
    put(tmp_path / "v", "without_ending", content=VIDEO)
    put(tmp_path / "v", "day 1/thumb.jpg", "day 1/also", content=PICTURE)
    return tmp_path / "v"


def test_a_folder_of_recordings_gives_its_videos_and_those_of_folders_inside_in_natural_order(videos: Path) -> None:
    listing = list_inputs([str(videos)])
    assert wanted(listing) == ["clip2", "clip10", "day 1-cam", "day 2-cam", "without_ending"]
    assert [Path(one.source) for one in listing.inputs][2] == videos / "day 1" / "cam.avi"
    pictures, partial = listing.notes
    assert "holds recordings, so 2 pictures in it were left out (also, thumb.jpg)" in pictures
    assert "2 partial files in the folder" in partial
    assert "clip3.mp4.part, clip4.mkv.crdownload" in partial


def test_files_of_several_folders_keep_the_names_of_these(videos: Path) -> None:
    listing = list_inputs([str(videos / "day 1"), str(videos / "day 2")])
    assert wanted(listing) == ["day 1-cam", "day 2-cam"]


def test_a_folder_of_pictures_is_one_input_as_is_a_missing_file(tmp_path: Path) -> None:
    put(tmp_path / "seq", "1.png", "2.png", content=PICTURE)
    listing = list_inputs([str(tmp_path / "seq"), str(tmp_path / "none.mp4"), "rtsp://host/x?a=*"])
    assert [one.source for one in listing.inputs] == [
        str(tmp_path / "seq"),
        str(tmp_path / "none.mp4"),
        "rtsp://host/x?a=*",
    ]
    assert (wanted(listing)[:2], listing.notes) == (["seq", "none"], [])


def test_patterns_that_the_shell_left_are_expanded(videos: Path) -> None:
    assert wanted(list_inputs([f"{videos}/clip*"])) == ["clip2", "clip10"]
    assert wanted(list_inputs([f"{videos}/day*/*.avi"])) == ["day 1-cam", "day 2-cam"]
    assert wanted(list_inputs([f"{videos}/**/*.avi"])) == ["day 1-cam", "day 2-cam"]
    assert wanted(list_inputs([f"{videos}/day*"])) == ["day 1-cam", "day 2-cam"]
    nothing = f"{videos}/*.mov"
    assert [one.source for one in list_inputs([nothing]).inputs] == [nothing]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    put(tmp_path, "[1] party?.mp4", "1.mp4")
    assert [one.source for one in list_inputs([f"{tmp_path}/[1] party?.mp4"]).inputs] == [f"{tmp_path}/[1] party?.mp4"]


def test_what_folders_name_again_is_listed_once_and_what_is_given_twice_is_done_twice(videos: Path) -> None:
    clip = str(videos / "clip10.mp4")
    assert wanted(list_inputs([clip, clip, str(videos)])).count("clip10") == 2
    assert len(list_inputs([clip, clip, str(videos)]).inputs) == 6


def test_results_are_no_inputs(videos: Path) -> None:
    put(videos, "clip2.tracks.jsonl", "clip2.annotated.mp4", "mine.annotated.mp4")
    assert wanted(list_inputs([str(videos)])).count("clip2.annotated") == 0
    assert "mine.annotated" in wanted(list_inputs([str(videos)]))


def test_links_that_lead_back_end(videos: Path) -> None:
    (videos / "day 1" / "up").symlink_to(videos)
    assert len(list_inputs([str(videos)]).inputs) == 5


def test_a_folder_that_cannot_be_read_is_an_input_of_its_own(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    iterdir = Path.iterdir

    def refuse(folder: Path) -> Iterator[Path]:  # root may read every folder
        if folder.name == "day 2":
            raise PermissionError(13, "Permission denied")
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert str(videos / "day 2") in [one.source for one in list_inputs([str(videos)]).inputs]


def test_joined_names_stay_distinct() -> None:
    assert unique_names(["a-b", "a-b", "A-B"]) == ["a-b", "a-b-2", "A-B-3"]
