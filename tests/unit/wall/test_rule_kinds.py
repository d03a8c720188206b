"""The kinds of rules and their settings on the page are those of the configuration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from posebus.config.rules.kinds import KINDS, InZoneRule

TEXT = (Path(__file__).parents[3] / "wall" / "web" / "src" / "editing" / "kinds.ts").read_text()
TABLE = TEXT[TEXT.index("export const KINDS") : TEXT.index("export function kindOf")]
PARTS = re.split(r"\n  kind\(", TABLE)[1:]
COMMON = re.findall(r'(?:number\(|name: )"(\w+)"', TEXT[TEXT.index("const COMMON") : TEXT.index("function kind(")])


def test_the_page_has_every_kind_in_the_same_order() -> None:
    assert [re.findall(r'"(\w+)"', part)[0] for part in PARTS] == list(KINDS)


@pytest.mark.parametrize(("name", "part"), list(zip(KINDS, PARTS, strict=True)))
def test_each_setting_exists_and_each_kind_may_be_where_the_page_says(name: str, part: str) -> None:
    settings = re.findall(r'(?:number\(|whole\(|name: )"(\w+)"', part)
    assert {*settings, *COMMON} == set(KINDS[name].model_fields) - {"kind", "points"}
    assert ("false,\n" not in part and "], false" not in part) == issubclass(KINDS[name], InZoneRule)
