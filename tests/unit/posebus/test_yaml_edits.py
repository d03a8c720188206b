"""Changing one field in the text of a YAML file: ruamel.yaml reads the result, and all other lines stay as they are."""

from __future__ import annotations

import difflib
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from posebus.config.editing.yaml_edits import REMOVED, Edit, edited
from posebus.errors import ConfigError

FILE = """\
# A deployment.   Two spaces in "quotes":  kept
redis: embedded   # or redis://host

shared: &fast
  max_fps:   12.50   # as the camera sends
  imgsz: auto

cameras:
  # the front door
  door:
    <<: *fast
    source:  "usb:0"   # the desk's
    region: [[0,0],[1,0.5]]

  # the yard, behind the barn
  yard:
    source: 'rtsp://u:p@192.0.2.1/x'
    warm_up:
      - [1, 2]   # one
      - [3, 4]
    # max_fps: 5

  # commented:
  #   source: usb:9

# How many
fleet: {workers: 1,trackers: 2}   # in brackets
"""


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(StringIO(text))


def change(text: str, path: str, value: object) -> str:
    return edited(text, Edit(tuple(path.split(".")), value))


def differences(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


@pytest.mark.parametrize(
    ("path", "value", "changed"),
    [
        (
            "cameras.door.source",
            "usb:1",
            ['-     source:  "usb:0"   # the desk\'s', "+     source:  usb:1   # the desk's"],
        ),
        ("cameras.door.region", [[0, 0]], ["-     region: [[0,0],[1,0.5]]", "+     region: [[0, 0]]"]),
        ("cameras.door.max_fps", 5, ["+     max_fps: 5"]),
        ("cameras.yard.max_fps", 5, ["+     max_fps: 5"]),
        (
            "shared.max_fps",
            10,
            ["-   max_fps:   12.50   # as the camera sends", "+   max_fps:   10   # as the camera sends"],
        ),
        (
            "cameras.yard.warm_up",
            [],
            ["-     warm_up:", "+     warm_up: []", "-       - [1, 2]   # one", "-       - [3, 4]"],
        ),
        (
            "fleet.workers",
            3,
            ["- fleet: {workers: 1,trackers: 2}   # in brackets", "+ fleet: {workers: 3,trackers: 2}   # in brackets"],
        ),
        (
            "fleet.more",
            "a",
            [
                "- fleet: {workers: 1,trackers: 2}   # in brackets",
                "+ fleet: {workers: 1,trackers: 2, more: a}   # in brackets",
            ],
        ),
        (
            "fleet.workers",
            REMOVED,
            ["- fleet: {workers: 1,trackers: 2}   # in brackets", "+ fleet: {trackers: 2}   # in brackets"],
        ),
        (
            "fleet.trackers",
            REMOVED,
            ["- fleet: {workers: 1,trackers: 2}   # in brackets", "+ fleet: {workers: 1}   # in brackets"],
        ),
        ("cameras.door.region", REMOVED, ["-     region: [[0,0],[1,0.5]]"]),
        (
            "cameras.barn",
            {"source": "a b.mp4", "loop": True},
            ["+ ", "+   barn:", "+     source: a b.mp4", "+     loop: true"],
        ),
        ("worker.imgsz", 640, ["+ ", "+ worker:", "+   imgsz: 640"]),
        ("cameras.door.max_fps", REMOVED, []),
        ("tracker.lost_s", REMOVED, []),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_lines_of_the_field_change(path: str, value: object, changed: list[str], newline: str) -> None:
    before = FILE.replace("\n", newline)
    after = change(before, path, value)
    assert sorted(differences(before, after)) == sorted(changed)
    assert after.count("\n") == after.count(newline)
    parts = path.split(".")
    found: Any = read(after)
    for part in parts[:-1]:
        found = (found or {}).get(part, {})
    if value is REMOVED:
        assert parts[-1] not in found or path == "cameras.door.max_fps"
    else:
        assert found[parts[-1]] == value


def test_a_removed_camera_takes_its_own_comments_with_it_and_leaves_all_others() -> None:
    after = change(FILE, "cameras.yard", REMOVED)
    removed = FILE[FILE.index("  yard:") : FILE.index("\n  # commented:")]
    assert after == FILE.replace(removed, "")
    after = change(FILE, "cameras.door", REMOVED)
    assert "# the front door" in after
    assert "# the yard, behind the barn" in after
    assert list(read(after)["cameras"]) == ["yard"]


def test_the_last_camera_leaves_an_empty_mapping_to_which_one_can_be_added() -> None:
    once = change("cameras: # all\n  a: # one\n    source: x\n# end\n", "cameras.a", REMOVED)
    assert once == "cameras: {} # all\n# end\n"
    assert change(once, "cameras.b.source", "y") == "cameras: # all\n  b:\n    source: y\n# end\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "cameras:\n  a:\n    source: usb:0\n"),
        ("# nothing yet", "# nothing yet\ncameras:\n  a:\n    source: usb:0\n"),
        ("cameras:\n  # b:\n  #   source: x\nworker:\n    imgsz: 64\n", None),
        ("---\ncameras: {}\n", "---\ncameras:\n  a:\n    source: usb:0\n"),
        ("cameras: {b: {source: x}}\n", "cameras: {b: {source: x}, a: {source: 'usb:0'}}\n"),
        ("{}", "{cameras: {a: {source: 'usb:0'}}}"),
        ("\ufeffcameras: null", "\ufeffcameras:\n  a:\n    source: usb:0\n"),
        ("cameras:\n    b:\n        source: x", "cameras:\n    b:\n        source: x\n    a:\n        source: usb:0\n"),
    ],
)
def test_a_camera_is_added_to_any_file(text: str, expected: str | None) -> None:
    after = change(text, "cameras.a", {"source": "usb:0"})
    if expected is None:
        expected = "cameras:\n  # b:\n  #   source: x\n    a:\n        source: usb:0\nworker:\n    imgsz: 64\n"
    assert after.replace("'usb:0'", "usb:0") == expected.replace("'usb:0'", "usb:0")
    assert read(after)["cameras"]["a"] == {"source": "usb:0"}


def test_what_others_share_is_not_changed_behind_their_back() -> None:
    text = "cameras:\n  a: &a {source: x}\n  b: *a\n"
    with pytest.raises(ConfigError, match=r"cameras\.b is written as \*a"):
        change(text, "cameras.b.max_fps", 5)
    with pytest.raises(ConfigError, match="is used elsewhere in the file, as \\*a"):
        change(text, "cameras.a", REMOVED)
    assert change(text, "cameras.b", REMOVED) == "cameras:\n  a: &a {source: x}\n"


def test_an_anchor_stays_with_its_new_value() -> None:
    text = "cameras:\n  a: {source: x, max_fps: &rate 5}\n  b: {source: y, max_fps: *rate}\n"
    assert change(text, "cameras.a.max_fps", 7.5) == text.replace("&rate 5", "&rate 7.5")
    assert change(text, "cameras.b.max_fps", 3) == text.replace("*rate", "3")


@pytest.mark.parametrize(
    "text", ["a: [", "a: 1\n---\nb: 2\n", "- 1\n", "cameras: [1]", "cameras: text", "[" * 30 + "]" * 30]
)
def test_what_is_no_configuration_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError):
        change(text, "cameras.a.source", "x")


@pytest.mark.parametrize(
    "text",
    [
        "\n? ",
        "? cameras\n: door: {source: x}\n",
        "cameras: !!map\n  door: {source: x}\n",
        "cameras: |\n  door:\n",
        "--- {a: 1} # b\n",
    ],
)
def test_a_form_that_is_not_known_is_changed_rightly_or_not_at_all(text: str) -> None:
    from yaml import safe_load

    for value in (5, REMOVED):
        try:
            after = change(text, "cameras.door.max_fps", value)
        except ConfigError:
            continue
        assert value is REMOVED or safe_load(after)["cameras"]["door"]["max_fps"] == 5


NAMES = st.sampled_from(["a", "b", "no", "7", "front.door", "x-1"])
VALUES = st.one_of(
    st.integers(-5, 10**6),
    st.booleans(),
    st.none(),
    st.sampled_from(
        [
            "off",
            "22:00",
            "yes",
            "1e3",
            "0x1f",
            "a: b",
            "# x",
            "rtsp://u:p@h/x?a=[1]&b={2}",
            "",
            " x ",
            "ä",
            "- x",
            "*a",
            "~",
        ]
    ),
    st.lists(st.lists(st.floats(0, 1), min_size=2, max_size=2), max_size=3),
)
EDITS = st.one_of(
    st.tuples(NAMES, st.sampled_from(["source", "max_fps", "region", "on"]), VALUES),
    st.tuples(NAMES, st.sampled_from(["source", "max_fps"]), st.just(REMOVED)),
    st.tuples(NAMES, st.just(""), st.just(REMOVED)),
)


@given(st.lists(EDITS, min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_any_row_of_edits_gives_what_the_same_edits_of_a_dictionary_give(edits: list[Any], newline: str) -> None:
    from yaml import safe_load

    text = FILE.replace("\n", newline)
    expected = safe_load(text)
    inside = FILE[FILE.index("cameras:\n") : FILE.index("# How many")]
    others = [line for line in FILE.splitlines() if line not in inside.splitlines()]
    for camera, field, value in edits:
        path = ("cameras", camera, field) if field else ("cameras", camera)
        text = edited(text, Edit(path, value))
        if value is not REMOVED:
            expected["cameras"].setdefault(camera, {})[field] = value
        elif field:
            expected["cameras"].get(camera, {}).pop(field, None)
        else:
            expected["cameras"].pop(camera, None)
    # By the reader of configurations, in whose YAML `off` alone is no text.
    assert safe_load(text) == expected
    assert [line for line in text.splitlines() if line in others] == others
    assert text.count("\n") == text.count(newline)
