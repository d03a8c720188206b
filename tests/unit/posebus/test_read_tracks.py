"""`posebus.read_tracks`: the values of every format, as pandas, polars and the json module give them; bad files."""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import samples

import posebus
from posebus.contract.public_json import dump, event_to_json, track_frame_to_json
from posebus.errors import MalformedMessage, SourceRejected
from posebus.messages import Event, Renaming, TrackFrame
from posebus.subscribing.renaming import with_final_ids
from recordings.results.tracks_writer import TracksWriter

FORMATS = ("jsonl", "csv", "parquet", "mot")
SUFFIXES = {"jsonl": "tracks.jsonl", "csv": "tracks.csv", "parquet": "tracks.parquet", "mot": "mot.txt"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tracks")
    for name, ids in (("clip", (1, 2)), ("yard", (1,))):
        with TracksWriter(made, name, FORMATS if name == "clip" else ("jsonl", "mot")) as writer:
            for seq in range(30):
                frame = samples.track_frame(seq, ids=ids)
                if seq == 4:
                    frame = replace(
                        frame, tracks=tuple(replace(one, state="lost", coasted=True) for one in frame.tracks)
                    )
                if seq == 6:
                    frame = replace(frame, tracks=tuple(replace(one, keypoints_px=None) for one in frame.tracks))
                writer.write(frame, samples.PROVENANCE)
            writer.complete()
    return made


def lines(*frames: TrackFrame) -> str:
    return "".join(dump(track_frame_to_json(frame, samples.PROVENANCE, 6)) + "\n" for frame in frames)


@pytest.mark.parametrize("one", ["jsonl", "csv", "csv without pyarrow", "parquet"])
def test_columns_are_the_values_of_the_messages(folder: Path, one: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if one == "csv without pyarrow":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    one = one.partition(" ")[0]
    table = posebus.read_tracks(folder / f"clip.{SUFFIXES[one]}")
    messages = [json.loads(line) for line in (folder / "clip.tracks.jsonl").read_text().splitlines()]
    rows = [(message, track) for message in messages for track in message["tracks"]]
    assert table.rows == len(rows) == 60
    assert table["frame"].tolist() == [message["seq"] for message, _ in rows]
    assert table["time_s"] == pytest.approx([message["seq"] / 25 for message, _ in rows])
    assert table["track_id"].tolist() == [track["id"] for _, track in rows]
    assert table["state"].tolist() == [track["state"] for _, track in rows]
    assert table["coasted"].tolist() == [track["coasted"] for _, track in rows]
    assert set(table["camera"]) == {"clip"}
    np.testing.assert_array_equal(
        table.boxes_xyxy_px, np.array([track["box_xyxy_px"] for _, track in rows], np.float32)
    )
    has = np.array([track["keypoints_px"] is not None for _, track in rows])
    assert has.sum() == 58
    expected = np.array([track["keypoints_px"] for _, track in rows if track["keypoints_px"]], np.float32)
    np.testing.assert_array_equal(table.keypoints_px[has], expected)
    assert np.isnan(table.keypoints_px[~has]).all()
    flags = [track["keypoint_visibility"] for _, track in rows if track["keypoints_px"]]
    assert table.keypoint_visibility[has].tolist() == flags
    assert table.keypoint_visibility[~has].max() == 0


def test_mot_gives_the_boxes_of_the_people_who_are_present(folder: Path) -> None:
    table = posebus.read_tracks(folder / "clip.mot.txt")
    whole = posebus.read_tracks(folder / "clip.tracks.jsonl")
    present = whole.where(whole["state"] == "confirmed")
    for name in ("frame", "track_id", "state", "camera"):
        assert table[name].tolist() == present[name].tolist()
    np.testing.assert_allclose(table.boxes_xyxy_px, present.boxes_xyxy_px, atol=0.02)
    assert np.isnan(table.keypoints_px).all()


def test_data_frames_of_all_libraries_hold_the_table(folder: Path) -> None:
    table = posebus.read_tracks(folder / "clip.tracks.parquet")
    frames = [table.to_pandas(), pd.DataFrame(table), table.to_polars(), pl.DataFrame(table), table.to_arrow()]
    for frame in frames:
        names = frame.column_names if isinstance(frame, pa.Table) else list(frame.columns)
        assert names == list(table)
        for name in ("frame", "track_id", "box_x1_px", "nose_visibility"):
            assert np.array(frame[name]).tolist() == table[name].tolist()
        assert [str(state) for state in frame["state"]] == table["state"].tolist()
    assert frames[0]["state"].dtype == "category"
    assert frames[2]["state"].dtype == pl.Categorical
    assert pa.table(table).num_rows == table.rows


def test_folder_gives_all_recordings_each_once(folder: Path) -> None:
    table = posebus.read_tracks(folder)
    assert next(iter(table)) == "recording"
    assert dict(zip(*np.unique(table["recording"], return_counts=True), strict=True)) == {"clip": 60, "yard": 30}
    assert table["recording"].tolist() == table["camera"].tolist()


def test_streams_that_a_subscriber_saved_have_final_numbers_and_own_times(tmp_path: Path) -> None:
    """Two cameras in one file, events between, a correction in one of them, and capture times of a wall clock."""
    start_ns = 1_796_060_312_000_000_000
    door = [samples.track_frame(seq, ids=(1, 3 if seq < 5 else 2)) for seq in range(10)]
    door[5] = replace(door[5], renamed=(Renaming(3, 2, 0),))
    door = [replace(frame, captured_at_ns=start_ns + frame.captured_at_ns) for frame in door]
    yard = [replace(samples.track_frame(seq, "yard", ids=(8,)), epoch=seq // 5) for seq in range(10)]
    event = Event("e", "posebus.camera.gap", "s", "s", start_ns, "door", 1, 0)
    text = lines(*door[:6]) + dump(event_to_json(event)) + "\n\n" + lines(*yard, *door[6:])
    path = tmp_path / "saved.jsonl"
    path.write_text(text)
    table = posebus.read_tracks(path)
    at_door = table.where(table["camera"] == "door")
    expected = [track.id for frame in with_final_ids(door) for track in frame.tracks]
    assert at_door["track_id"].tolist() == expected
    assert set(expected) == {1, 2}
    assert at_door["time_s"] == pytest.approx(np.repeat(np.arange(10) / 25, 2))
    assert table.where(table["camera"] == "yard")["epoch"].tolist() == [0] * 5 + [1] * 5


@pytest.mark.parametrize("one", ["jsonl", "csv", "mot"])
def test_interrupted_file_is_read_up_to_its_last_complete_line(folder: Path, tmp_path: Path, one: str) -> None:
    name = f"clip.{SUFFIXES[one]}"
    whole, raw = posebus.read_tracks(folder / name), (folder / name).read_bytes()
    cut = tmp_path / f"{name}.partial"
    cut.write_bytes(raw[:-20])
    with pytest.warns(UserWarning, match="interrupted or has not ended"):
        table = posebus.read_tracks(cut)
    lost = 2 if one == "jsonl" else 1
    assert table["track_id"].tolist() == whole["track_id"].tolist()[:-lost]
    assert len(table.incomplete) == 1
    cut.rename(tmp_path / name)
    last = len(raw.splitlines())
    with pytest.raises(MalformedMessage, match=f"{name} ends in the middle of line {last}; the lines before"):
        posebus.read_tracks(tmp_path / name)
    with pytest.warns(UserWarning, match=f"line {last}, so that its last line was left out"):
        assert posebus.read_tracks(tmp_path / name, partial=True).rows == table.rows
    (tmp_path / name).rename(cut)
    with pytest.warns(UserWarning, match="interrupted"):
        assert posebus.read_tracks(tmp_path).rows == table.rows


def test_parquet_of_an_interrupted_run_says_what_can_be_read(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.tracks.parquet.partial"
    path.write_bytes((folder / "clip.tracks.parquet").read_bytes()[:-100])
    with pytest.raises(MalformedMessage, match=r"no complete Parquet file: .*jsonl.partial before"):
        posebus.read_tracks(path)


def bad_lines() -> dict[str, tuple[str, str]]:
    good = lines(*(samples.track_frame(seq) for seq in range(3)))
    message = json.loads(good.splitlines()[1])

    def changed(**track: object) -> str:
        tracks = [{**message["tracks"][0], **track}]
        return good.splitlines()[0] + "\n" + json.dumps({**message, "tracks": tracks}) + "\n"

    return {
        "not JSON": (good + "{broken\n", "line 4, is not JSON"),
        "a list": (good + "[1]\n", "line 4, is not a JSON object"),
        "other JSON": ('{"a": 1}\n', "line 1, is not a frame with tracks as posebus writes it: no 'schema_version'"),
        "other version": (good.replace('"schema_version":1', '"schema_version":9'), "line 1, .*schema version 9"),
        "a text for a number": (changed(id="x"), "line 2, .*expected whole numbers"),
        "a fraction for an id": (changed(id=1.5), "line 2, .*expected whole numbers"),
        "a short box": (changed(box_xyxy_px=[1, 2, 3]), "line 2, .*shape"),
        "no numbers": (changed(score=float("nan")), "line 2, .*finite"),
        "a wrong flag": (changed(coasted="no"), "line 2, .*true or false"),
        "five keypoints": (changed(keypoints_px=[[1, 2, 3]] * 5, keypoint_visibility=[1] * 5), "line 2, .*shape"),
        "no state": (changed(state=7), "line 2, .*expected text"),
        "events alone": ('{"specversion": "1.0"}\n', "holds events, no tracks"),
        "a table of something else": ("a,b\n1,2\n", "holds no tracks as posebus writes them"),
        "a table of people": ("track_id,duration_s\n1,2\n", "names no column frame"),
        "a wrong field": (
            "frame,track_id,state,score\n0,1,lost,0.5\n0,x,lost,1\n",
            "line 3: 'x' is no value of track_id",
        ),
        "too many fields": ("frame,track_id\n0,1\n1,2,3\n2,2\n", "line 3, has 3 fields instead of 2"),
        "too few fields": ("frame,track_id\n0,1\n1\n2,2\n", "line 3, has 1 fields instead of 2"),
        "a text in MOT": ("1,1,2,3,4,5,6\n1,1,2,x,4,5,6\n", "line 2, is no row of a MOT file"),
        "no number in MOT": ("1,1,2,3,4,5,6\n1,1,2,nan,4,5,6\n", "line 2, is no row of a MOT file"),
        "two rows of MOT in one": ("1,1,2,3,4,5,6,-1,-1,-1\n2,1,2,3,4,5,6,-1,\udcff4,1,2,3\n", "line 2, .* 12 fields"),
        "no UTF-8": ("frame,track_id,state\n0,1,\udcff\n", "line 2, is no text in UTF-8"),
        "a table of events": ("time_s,frame,type,track_id,reason,data\n0,0,x,1,,\n", "holds events, not tracks"),
        "COCO": ('{"images": [], "annotations": []}', "holds no tracks as posebus writes them"),
        "a summary": ('{\n  "inputs": []\n}\n', "holds no tracks as posebus writes them"),
        "a field without end": ('frame,track_id\n0,"' + "1" * 200_000, "is no CSV file"),
        "a picture": ("\x89PNG\r\n", "holds no tracks as posebus writes them"),
    }


@pytest.mark.parametrize("case", bad_lines())
def test_damaged_and_foreign_files_are_refused_with_their_line(case: str, tmp_path: Path) -> None:
    text, pattern = bad_lines()[case]
    path = tmp_path / "some.file"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises((MalformedMessage, SourceRejected), match=pattern):
        posebus.read_tracks(path)


def test_parquet_of_something_else_is_refused(tmp_path: Path) -> None:
    for columns, pattern in (
        ({"a": [1]}, "has no column frame and no track_id"),
        ({"frame": ["x"], "track_id": [1]}, "a column has another type"),
    ):
        pd.DataFrame(columns).to_parquet(tmp_path / "other.parquet")
        with pytest.raises(MalformedMessage, match=pattern):
            posebus.read_tracks(tmp_path / "other.parquet")


def test_missing_files_and_folders_without_tracks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRejected, match=r"nowhere cannot be read: No such file"):
        posebus.read_tracks(tmp_path / "nowhere")
    with pytest.raises(SourceRejected, match=r"holds no tracks: no file is called NAME\.tracks\.parquet"):
        posebus.read_tracks(tmp_path)


def test_tables_of_other_programs_may_have_other_columns_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "filtered.csv"
    path.write_text("score,extra,track_id,frame\n0.5,=1+1,3,7\n\n,,4,8\n\n")
    table = posebus.read_tracks(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    without_arrow = posebus.read_tracks(path)
    for name in table:
        np.testing.assert_array_equal(table[name], without_arrow[name])
    assert (table["track_id"].tolist(), table["frame"].tolist()) == ([3, 4], [7, 8])
    assert table["score"][0] == 0.5
    assert np.isnan(table["score"][1])
    assert set(table["camera"]) == {"filtered"}


def test_no_row_is_a_table_without_rows(tmp_path: Path) -> None:
    (tmp_path / "clip.tracks.jsonl").write_text(lines(replace(samples.track_frame(0), tracks=())))
    (tmp_path / "clip.mot.txt").touch()
    for name in ("clip.tracks.jsonl", "clip.mot.txt"):
        table = posebus.read_tracks(tmp_path / name)
        assert (table.rows, table.keypoints_px.shape) == (0, (0, 17, 3))
        assert table.to_pandas().shape == (0, len(table))
        assert table.to_polars().height == table.to_arrow().num_rows == 0


def test_missing_libraries_are_named_with_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = posebus.read_tracks(folder / "clip.tracks.jsonl")
    for name in ("pandas", "polars", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    for convert, name in ((table.to_pandas, "pandas"), (table.to_polars, "polars"), (table.to_arrow, "pyarrow")):
        with pytest.raises(ImportError, match=f"the package {name} is not installed here.*pip install {name}"):
            convert()
    with pytest.raises(ImportError, match=r"clip.tracks.parquet cannot be read: .*pip install '.\[tables\]'"):
        posebus.read_tracks(folder / "clip.tracks.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert posebus.read_tracks(folder / "clip.tracks.csv").rows == 60
