"""The tracker comparison's clips, options and tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.tracking.command import numbers_of, sequences
from benchmarks.tracking.table import mean_lines, plain_table, stress_table

LINE = {"HOTA": 0.6, "DetA": 0.5, "AssA": 0.4, "IDF1": 0.7, "MOTA": 0.3, "IDSW": 2.0, "Frag": 1.0}


def test_clips_are_videos_with_ground_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("yard.MKV", "yard.gt.txt", "yard.txt", "alone.mp4", "lost.gt.txt"):
        (tmp_path / name).touch()
    assert sequences(tmp_path) == {"yard": (tmp_path / "yard.MKV", tmp_path / "yard.gt.txt")}
    assert "lost.gt.txt is left out" in capsys.readouterr().err


def test_folder_without_clips_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"holds no video with its ground truth"):
        sequences(tmp_path)
    with pytest.raises(SystemExit, match="is not a folder"):
        sequences(tmp_path / "nowhere")


def test_number_applies_to_all_clips_or_to_the_named_one() -> None:
    assert numbers_of("--imgsz", ["960", "yard=1280"], ["yard"]) == {"": 960, "yard": 1280}
    assert numbers_of("--imgsz", None, ["yard"]) == {}


@pytest.mark.parametrize("value", ["large", "yard=", "0", "-640"])
def test_value_that_is_not_above_0_is_rejected(value: str) -> None:
    with pytest.raises(SystemExit, match="expected a number above 0"):
        numbers_of("--imgsz", [value], ["yard"])


def test_unknown_clip_is_rejected() -> None:
    with pytest.raises(SystemExit, match="the clips are yard"):
        numbers_of("--imgsz", ["street=640"], ["yard"])


def test_plain_table_is_aligned_and_has_no_time_for_untimed_rows() -> None:
    table = plain_table("yard", {"bound": LINE, "posebus": LINE | {"us_per_frame": 421.6}})
    assert table.rows[0][-1] == "-"
    assert table.rows[1] == ["posebus", "0.600", "0.500", "0.400", "0.700", "0.300", "2", "1", "422"]
    widths = {len(line) for line in table.text().splitlines()[1:]}
    assert len(widths) == 1
    assert table.markdown().splitlines()[3].count("---:") == 8


def test_stress_table_shows_the_change_against_every_frame() -> None:
    table = stress_table("yard", "HOTA", {"posebus": LINE, "norfair": LINE}, {"hard": {"posebus": {"HOTA": 0.55}}})
    assert table.rows == [["posebus", "0.600", "0.550 -0.050"], ["norfair", "0.600", "-"]]


def test_means_over_clips_sum_counts() -> None:
    means = mean_lines([{"posebus": LINE, "norfair": LINE}, {"posebus": LINE | {"HOTA": 0.8, "IDSW": 3.0}}])
    assert list(means) == ["posebus"]
    assert means["posebus"]["HOTA"] == pytest.approx(0.7)
    assert means["posebus"]["IDSW"] == 5
