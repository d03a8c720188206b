"""Values on the command line that are read as YAML."""

from __future__ import annotations

import pytest

from posebus_cli.options.yaml_values import yaml_value


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5", 12.5), ("[a, 1]", ["a", 1]), ("{a: b}", {"a": "b"}), ("tracks.jsonl", "tracks.jsonl"), ("null", None)],
)
def test_a_value_is_what_it_would_be_in_the_file(text: str, value: object) -> None:
    assert yaml_value(text) == value


@pytest.mark.parametrize("text", ["[a", "2026-02-30", "[" * 3000])
def test_text_that_yaml_cannot_read_stays_as_it_is(text: str) -> None:
    assert yaml_value(text) == text
