"""The formats of tracks, as independent programs read them: pandas, polars, DuckDB, pycocotools, the csv module."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import samples
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from posebus.coco import COCO_KEYPOINT_NAMES
from posebus.errors import ConfigError, OutputError
from posebus.messages import Renaming, TrackFrame
from recordings.results.formats import parquet
from recordings.results.formats.table import FORMATS, chosen
from recordings.results.tracks_writer import TracksWriter

ALL = ("jsonl", "mot", "csv", "parquet", "coco", "coco-results")
SETTINGS = {"worker": {"imgsz": 640}}


def frames() -> list[TrackFrame]:
    """60 frames of a person who is 1, hidden in frame 3, and of one who is 7 from frame 2 on and is found to be 2."""
    found = [samples.track_frame(seq, ids=(1, 2 if seq < 2 else 7)) for seq in range(20)]
    found += [samples.track_frame(seq, ids=(1, 2)) for seq in range(20, 60)]
    found[20] = replace(found[20], renamed=(Renaming(7, 2, 2),))
    hidden, other = found[3].tracks
    found[3] = replace(found[3], tracks=(replace(hidden, coasted=True), other))
    lost, boxed = found[5].tracks
    found[5] = replace(found[5], tracks=(replace(lost, state="lost"), replace(boxed, keypoints_px=None)))
    return [*found[:8], replace(found[8], tracks=()), *found[9:]]


def write(folder: Path, formats: Sequence[str] = ALL) -> None:
    with TracksWriter(folder, "clip", formats, SETTINGS) as writer:
        writer.write(samples.track_frame(5, ids=(99,)), samples.PROVENANCE)
        writer.restart()
        for frame in frames():
            writer.write(frame, samples.PROVENANCE)
        writer.complete()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("formats")
    write(made)
    return made


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "clip.tracks.jsonl").read_text().splitlines()]


def flat(folder: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(frame, track) for frame in lines(folder) for track in frame["tracks"]]


def test_csv_has_the_values_of_the_messages_under_named_columns(folder: Path) -> None:
    raw = (folder / "clip.tracks.csv").read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") == len(flat(folder)) + 1
    rows = list(csv.DictReader(io.StringIO(raw.decode("ascii")), strict=True))
    for row, (frame, track) in zip(rows, flat(folder), strict=True):
        assert (int(row["frame"]), int(row["track_id"]), row["state"]) == (frame["seq"], track["id"], track["state"])
        assert float(row["time_s"]) == pytest.approx(frame["seq"] / 25)
        assert (row["coasted"] == "true", row["inferred"]) == (track["coasted"], "true")
        assert [float(row[f"box_{side}_px"]) for side in ("x1", "y1", "x2", "y2")] == track["box_xyxy_px"]
        for index, name in enumerate(COCO_KEYPOINT_NAMES):
            values = [row[f"{name}_{part}"] for part in ("x_px", "y_px", "confidence")]
            if track["keypoints_px"] is None:
                assert values == ["", "", ""]
            else:
                assert list(map(float, values)) == track["keypoints_px"][index]


def test_csv_and_parquet_are_the_same_table_in_pandas_polars_and_duckdb(folder: Path) -> None:
    csv_path, parquet_path = str(folder / "clip.tracks.csv"), str(folder / "clip.tracks.parquet")
    by_pandas = pd.read_csv(csv_path)
    assert by_pandas["coasted"].dtype == np.bool_
    assert by_pandas["track_id"].dtype == np.int64
    for other in (pd.read_parquet(parquet_path), pl.read_parquet(parquet_path), pl.read_csv(csv_path)):
        assert list(other.columns) == list(by_pandas.columns)
        for name in by_pandas.columns:
            if name == "state":
                assert list(other[name]) == list(by_pandas[name])
            else:
                np.testing.assert_allclose(np.array(other[name], float), np.array(by_pandas[name], float), rtol=1e-6)
    query = "select count(*), sum(coasted::int), count(nose_x_px) filter (not isnan(nose_x_px)) from '{}'"
    assert duckdb.sql(query.format(parquet_path)).fetchall() == [(118, 1, 117)]
    assert duckdb.sql(f"select max(track_id) from '{csv_path}'").fetchall() == [(2,)]


def test_parquet_keeps_types_and_says_what_made_it(folder: Path) -> None:
    file = pq.ParquetFile(folder / "clip.tracks.parquet")
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert types["state"].startswith("dictionary<values=string")
    assert (types["captured_at_ns"], types["box_x1_px"], types["nose_visibility"]) == ("int64", "float", "uint8")
    facts = json.loads(pl.read_parquet_metadata(folder / "clip.tracks.parquet")["posebus"])
    assert facts == {"schema_version": 1, "camera": "clip", "size_px": [640, 480], "settings": SETTINGS}


def test_parquet_is_written_in_row_groups_while_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "PART_ROWS", 8)
    monkeypatch.setattr(parquet, "GROUP_ROWS", 40)
    with TracksWriter(tmp_path, "clip", ("parquet",)) as writer:
        for seq in range(100):
            writer.write(samples.track_frame(seq), samples.PROVENANCE)
        assert (tmp_path / "clip.tracks.parquet.partial").stat().st_size > 5000
        writer.complete()
    file = pq.ParquetFile(tmp_path / "clip.tracks.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [40] * 5
    assert file.read(["frame"])["frame"].to_pylist() == [seq for seq in range(100) for _ in range(2)]


def test_pycocotools_loads_images_annotations_and_detections(folder: Path) -> None:
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "clip.coco.json"))
        found = truth.loadRes(str(folder / "clip.coco-results.json"))
        scored = COCOeval(truth, found, "keypoints")
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    # The detections are the annotations, except that COCO leaves out the keypoints of which nothing is known.
    assert scored.stats[0] > 0.5
    assert len(truth.imgs) == 60
    assert truth.loadImgs([9]) == [
        {
            **{"id": 9, "file_name": "clip/000009.jpg", "width": 640, "height": 480},
            **{"frame": 8, "captured_at_ns": 320_000_000},
        }
    ]
    assert truth.loadCats([1])[0]["keypoints"] == list(COCO_KEYPOINT_NAMES)
    present = [(frame, track) for frame, track in flat(folder) if track["state"] == "confirmed"]
    for annotation, (frame, track) in zip(truth.loadAnns(truth.getAnnIds()), present, strict=True):
        left, top, right, bottom = track["box_xyxy_px"]
        assert (annotation["image_id"], annotation["track_id"]) == (frame["seq"] + 1, track["id"])
        assert annotation["bbox"] == pytest.approx([left, top, right - left, bottom - top], abs=0.011)
        assert annotation["area"] == pytest.approx((right - left) * (bottom - top), abs=0.011)
        flags = annotation["keypoints"][2::3]
        assert flags == (track["keypoint_visibility"] if track["keypoints_px"] else [0] * 17)
        assert annotation["num_keypoints"] == sum(flag > 0 for flag in flags)


def test_all_formats_have_final_numbers_and_nothing_of_an_earlier_reading(folder: Path) -> None:
    present = {(frame["seq"], track["id"]) for frame, track in flat(folder) if track["state"] == "confirmed"}
    coco = json.loads((folder / "clip.coco.json").read_text())["annotations"]
    results = json.loads((folder / "clip.coco-results.json").read_text())
    mot = [line.split(",") for line in (folder / "clip.mot.txt").read_text().splitlines()]
    table = pd.read_parquet(folder / "clip.tracks.parquet")
    table = table[table.state == "confirmed"]
    assert {(one["image_id"] - 1, one["track_id"]) for one in coco} == present
    assert {(one["image_id"] - 1, one["track_id"]) for one in results} == present
    assert {(int(row[0]) - 1, int(row[1])) for row in mot} == present
    assert set(zip(table.frame, table.track_id, strict=True)) == present
    assert {number for _, number in present} == {1, 2}


def test_another_run_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write(tmp_path)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name
    assert len(list(folder.iterdir())) == len(ALL)


@pytest.mark.parametrize("one", ALL)
def test_incomplete_file_keeps_its_partial_name_and_an_older_one_stays(one: str, tmp_path: Path) -> None:
    write(tmp_path, [one])
    (path,) = tmp_path.iterdir()
    complete = path.read_bytes()
    with TracksWriter(tmp_path, "clip", [one]) as writer:
        writer.write(samples.track_frame(0), samples.PROVENANCE)
    assert {found.name for found in tmp_path.iterdir()} == {path.name, f"{path.name}.partial"}
    assert path.read_bytes() == complete
    if one == "parquet":
        assert len(pd.read_parquet(f"{path}.partial", partitioning=None)) == 2


@pytest.mark.parametrize("one", ALL)
def test_recording_without_people_gives_files_that_can_be_read(one: str, tmp_path: Path) -> None:
    with TracksWriter(tmp_path, "clip", [one]) as writer:
        writer.write(replace(samples.track_frame(0), tracks=()), samples.PROVENANCE)
        writer.complete()
    (path,) = tmp_path.iterdir()
    if one == "parquet":
        assert len(pd.read_parquet(path)) == 0
    elif one == "csv":
        assert len(pd.read_csv(path)) == 0
    elif one == "coco":
        with redirect_stdout(io.StringIO()):
            assert COCO(str(path)).getAnnIds() == []
    elif one == "coco-results":
        assert json.loads(path.read_text()) == []


def test_other_keypoints_than_those_of_coco_are_refused_in_a_sentence(tmp_path: Path) -> None:
    frame = samples.track_frame(0)
    tracks = tuple(replace(one, keypoints_px=np.zeros((5, 3), np.float32)) for one in frame.tracks)
    for one in ("csv", "parquet", "coco", "coco-results"):
        with TracksWriter(tmp_path, "clip", [one]) as writer:
            writer.write(replace(frame, tracks=tracks), samples.PROVENANCE)
            with pytest.raises(OutputError, match="the 17 keypoints of COCO, and the model gives 5"):
                writer.complete()


def test_formats_are_chosen_by_name_and_unknown_ones_refused() -> None:
    assert {*ALL, "people", "events"} == {one.name for one in FORMATS}
    assert chosen(()) == ("jsonl", "mot", "people", "events")
    assert chosen(("csv, Parquet", "coco")) == ("jsonl", "csv", "parquet", "coco", "people", "events")
    with pytest.raises(ConfigError, match="'xlsx' is none of jsonl, mot, csv, parquet, coco, coco-results"):
        chosen(("csv,xlsx",))
