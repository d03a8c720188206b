"""Times and parts on the command line."""

from __future__ import annotations

import pytest

from posebus.errors import ConfigError
from recordings.inputs import camera_settings
from recordings.inputs.part import Part, parse_part, parse_time_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1:30", 90),
        ("01:02:03.25", 3723.25),
        ("75:00", 4500),
        ("100:00:00", 360000),
    ],
)
def test_times_are_seconds_or_have_colons(text: str, seconds: float) -> None:
    assert parse_time_s(text, "--start") == seconds


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1:60", "1:60:00", "1:2:3:4", "1e3", "nan", "inf", "1:", ":1", "9" * 12]
)
def test_other_times_are_refused_with_the_option(text: str) -> None:
    with pytest.raises(ConfigError, match="--start"):
        parse_time_s(text, "--start")


def test_parts_must_make_sense() -> None:
    assert parse_part("1:00", "90", 2, 5.0) == Part(60.0, 90.0, 2, 5.0)
    assert parse_part() == Part()
    for wrong in [("10", "10"), ("10", "5"), (None, "0"), (None, None, 0), (None, None, None, 0.0)]:
        with pytest.raises(ConfigError):
            parse_part(*wrong)  # type: ignore[arg-type]


def test_a_part_is_in_the_settings_of_its_recording() -> None:
    settings = camera_settings("clip.mp4", Part(1.0, 2.0, 3, 4.0))
    assert (settings.start_s, settings.end_s, settings.every, settings.max_fps) == (1.0, 2.0, 3, 4.0)
