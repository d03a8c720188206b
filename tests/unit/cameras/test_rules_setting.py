"""Rules in a configuration file: each mistake is one sentence with its line, and says what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus.config.loading import check_settings

ZONE = "kind: zone, points: [[0, 0], [100, 0], [3, 30]]"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (
            "{kind: zone, points: [[0, 0], [9, 9], [9, 0], [0, 9]]}",
            "4:26: cameras.yard.rules.gate.points: must not cross itself",
        ),
        ("{kind: zone, points: [[0, 0], [9, 9]]}", "4:26: cameras.yard.rules.gate.points: must have at least 3 points"),
        ("{kind: zone, points: [[0, 0], [-5, 0], [3, 3]]}", "4:26: cameras.yard.rules.gate.points: must lie in the"),
        (
            "{kind: zoone, points: []}",
            "4:7: cameras.yard.rules.gate: is of the kind 'zoone', which does not exist",
        ),
        (f"{{{ZONE}, dwel_s: 3}}", ".dwel_s: there is no such field; did you mean 'dwell_s'?"),
        (
            f"{{{ZONE}, schedule: '18:00-06:00 Europe/Berlln'}}",
            ".schedule: has the time zone 'Europe/Berlln', which",
        ),
        ("{kind: action, labels: [run]}", "2:3: cameras.yard: the rule gate needs actions: write 'actions: builtin'"),
    ],
)
def test_a_wrong_rule_is_one_sentence_with_its_line(tmp_path: Path, rule: str, says: str) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text(f"cameras:\n  yard: {{source: yard.mp4,\n    rules: {{\n      gate: {rule}}}}}\n")
    [problem] = check_settings(path, {}, {}).problems
    assert says in str(problem)
    assert str(problem).startswith(f"{path}:")
    assert "\n" not in str(problem)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("cameras: {yard: {source: x, rules: [gate]}}", ": cameras.yard.rules: must hold rules by name; write 'gate:"),
        (
            "sinks: [alarm]",
            "1:1: sinks: must hold sinks by name; write 'NAME:' and below it, indented,",
        ),
        ("sinks: {alarm: {types: [a b]}}", "sinks.alarm.types.0: 'a b' is no type of an event: write one such as"),
    ],
)
def test_what_stands_in_the_place_of_rules_and_sinks_is_named(tmp_path: Path, section: str, says: str) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text(f"{section}\n")
    [problem] = check_settings(path, {}, {}).problems
    assert says in str(problem)


def test_a_field_of_another_kind_is_not_suggested(tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text(f"cameras: {{yard: {{source: x, rules: {{till: {{{ZONE}, fallen_s: 3}}}}}}}}\n")
    [problem] = check_settings(path, {}, {}).problems
    assert str(problem).endswith("cameras.yard.rules.till.fallen_s: there is no such field")
