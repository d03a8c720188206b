"""docs/results.md lists the columns, the files and the columns of people that the code writes."""

from __future__ import annotations

import re

from posebus.coco import COCO_KEYPOINT_NAMES
from posebus.tables.columns import COLUMNS, RECORDING
from recordings.results.formats.table import FORMATS
from recordings.results.people.table import COLUMNS as PEOPLE
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "results.md").read_text()


def rows() -> list[str]:
    """The table of columns, with one row for the same column of all keypoints."""
    found = ["| column | type | meaning |", "|---|---|---|"]
    first, *others = COCO_KEYPOINT_NAMES
    for column in (RECORDING, *COLUMNS):
        if not column.name.startswith(tuple(f"{name}_" for name in others)):
            name = column.name.replace(f"{first}_", "KEYPOINT_")
            found.append(f"| `{name}` | {column.kind} | {column.meaning} |")
    return found


def test_columns_are_those_of_the_code() -> None:
    table = re.search(r"<!-- columns: .*? -->\n(?P<table>.*?)\n<!-- end of columns -->", PAGE, flags=re.DOTALL)
    assert table
    assert table["table"].splitlines() == rows()


def test_formats_and_columns_of_people_are_named() -> None:
    for one in FORMATS:
        assert one.name in {"people", "events", "jsonl"} or f"`--format {one.name}`" in PAGE, one.name
    for name in PEOPLE:
        shortened = re.fullmatch(r"best_box_(y1|x2)_px", name)
        assert shortened or f"`{name}`" in PAGE, name
