"""A run is repeated with the part of the recordings that it analysed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posebus.errors import ConfigError
from recordings.inputs.part import WHOLE, Part, parse_part
from recordings.results.earlier_run import read_earlier_run

SUMMARY = {
    "inputs": [],
    "run": {"sources": ["/clips/a.mp4"], "options": {"video": False}},
    "settings": {"worker": {"imgsz": 320}, "tracker": {}, "workers": 1},
    "model": {"sha256": "ab"},
    "versions": {"posebus": "1"},
}


def test_the_part_is_that_of_the_summary(tmp_path: Path) -> None:
    part = parse_part("1", "0:02", 3)
    (tmp_path / "summary.json").write_text(json.dumps({**SUMMARY, "part": part.fields()}))
    assert read_earlier_run(tmp_path).part == Part(start_s=1.0, end_s=2.0, every=3)


def test_a_summary_of_whole_recordings_has_no_part(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    assert read_earlier_run(tmp_path / "summary.json").part == WHOLE


@pytest.mark.parametrize(("name", "content"), [("clip.mp4", b"\x00\x00\x00 ftyp"), ("none.json", None)])
def test_what_is_no_summary_is_refused_with_what_to_give(name: str, content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=rf"{name} .*: give the summary\.json of a run, or its folder"):
        read_earlier_run(tmp_path / name)
