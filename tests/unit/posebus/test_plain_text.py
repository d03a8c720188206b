"""Text of others is shown without any character that controls a terminal or starts a line."""

from __future__ import annotations

import json
import unicodedata

import pytest

from posebus.plain_text import plain, plain_json, plain_lines

HOSTILE = [
    "\x1b]0;title\x07",
    "\x9b2J",
    "a\nposebus: forged",
    "a\rb",
    "\u202egpj.exe",
    "\u2066x\u2069",
    "\u2028",
    "\ud800",
    "\x00",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("show", [plain, plain_lines])
def test_nothing_controls_the_terminal(show: object, text: str) -> None:
    shown = show(f"before {text} after")  # type: ignore[operator]
    assert {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "\\" in shown


def test_letters_of_all_scripts_stay() -> None:
    assert plain("Küche 監視カメラ камера [/bold] 100 %") == "Küche 監視カメラ камера [/bold] 100 %"


def test_long_text_is_cut() -> None:
    assert plain("a" * 50, 10) == "a" * 10 + "…"


def test_only_indented_lines_remain_lines() -> None:
    assert (
        plain_lines("2 mistakes:\n  a.yaml: x\n  b\nposebus: forged")
        == "2 mistakes:\n  a.yaml: x\n  b\\nposebus: forged"
    )


@pytest.mark.parametrize("text", [*HOSTILE, "\U000e0001 tag"])
def test_json_keeps_its_meaning(text: str) -> None:
    shown = plain_json(json.dumps({"text": text}, ensure_ascii=False, indent=1))
    assert json.loads(shown) == {"text": text}
    assert shown.replace("\n", "").isprintable()
