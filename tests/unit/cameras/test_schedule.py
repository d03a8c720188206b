"""The setting `schedule`: its text, the clock changes, and which cameras run now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from posebus.config.cameras.schedule import read_schedule
from posebus.config.cameras.wanted import wanted_cameras
from posebus.config.settings import CameraSettings, Settings

BERLIN = ZoneInfo("Europe/Berlin")
DAY = (("+", "06:00"), ("-", "18:00"))
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    """A moment of UTC, like 2026-12-01 08:00."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def switches(text: str, first: datetime, minutes: int) -> list[str]:
    """When the schedule changes in so many minutes from `first` on, as `+08:00` in UTC, found minute by minute."""
    schedule = read_schedule(text)
    moments = [first + MINUTE * minute for minute in range(minutes)]
    states = [schedule.is_on(moment) for moment in moments]
    changed = [k for k in range(1, minutes) if states[k] != states[k - 1]]
    return [f"{'+' if states[k] else '-'}{moments[k]:%d %H:%M}" for k in changed]


def test_days_and_times_are_those_of_the_zone() -> None:
    # 2026-11-30 is a Monday. In winter Berlin is an hour ahead of UTC, New York five behind.
    week = switches("Mon-Fri 07:00-19:00, Sat 10:00-14:00 Europe/Berlin", at("2026-11-30"), 7 * 24 * 60)
    working_days = [f"{sign}{day} {time}" for day in (30, "01", "02", "03", "04") for sign, time in DAY]
    assert week == [*working_days, "+05 09:00", "-05 13:00"]
    assert switches("22:00-06:00 America/New_York", at("2026-11-30 12:00"), 36 * 60) == [
        "+01 03:00",
        "-01 11:00",
    ]
    assert switches("Fri 22:00-06:00 UTC", at("2026-11-30"), 7 * 24 * 60) == ["+04 22:00", "-05 06:00"]
    assert switches("Mon Wed UTC", at("2026-11-29 12:00"), 4 * 24 * 60) == [
        "+30 00:00",
        "-01 00:00",
        "+02 00:00",
        "-03 00:00",
    ]
    assert switches("Sat-Mon 00:00-24:00 UTC", at("2026-12-04"), 5 * 24 * 60) == ["+05 00:00", "-08 00:00"]


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        # On 2026-03-29 clocks in Berlin go from 02:00 to 03:00, at 01:00 UTC.
        ("01:00-05:00 Europe/Berlin", "2026-03-28 12:00", ["+29 00:00", "-29 03:00"]),  # three hours, not four
        ("02:30-04:00 Europe/Berlin", "2026-03-28 12:00", ["+29 01:00", "-29 02:00"]),  # begins when it is skipped
        ("00:30-02:30 Europe/Berlin", "2026-03-28 12:00", ["+28 23:30", "-29 01:00"]),
        ("02:15-02:45 Europe/Berlin", "2026-03-28 12:00", []),  # never comes on that day
        # On 2026-10-25 they go from 03:00 to 02:00, at 01:00 UTC, so that 02:30 comes twice: at 00:30 and at 01:30.
        ("01:00-05:00 Europe/Berlin", "2026-10-24 12:00", ["+24 23:00", "-25 04:00"]),  # five hours, not four
        ("02:30-04:00 Europe/Berlin", "2026-10-24 12:00", ["+25 00:30", "-25 03:00"]),
        ("00:30-02:30 Europe/Berlin", "2026-10-24 12:00", ["+24 22:30", "-25 01:30"]),
        ("02:15-02:45 Europe/Berlin", "2026-10-24 12:00", ["+25 00:15", "-25 01:45"]),
        # In New York clocks change at 02:00, too, but on other days; Phoenix has no summer time.
        ("22:00-06:00 America/New_York", "2026-11-01 00:00", ["+01 02:00", "-01 11:00"]),  # nine hours
        ("22:00-06:00 America/Phoenix", "2026-11-01 00:00", ["+01 05:00", "-01 13:00"]),
    ],
)
def test_the_clock_on_the_wall_counts_when_it_is_changed(text: str, first: str, expected: list[str]) -> None:
    assert switches(text, at(first), 26 * 60)[:2] == expected


@settings(max_examples=60, deadline=None)
@given(
    first=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    begin=st.integers(0, 24 * 60 - 1),
    length=st.integers(30, 24 * 60 - 30),
)
def test_a_camera_is_on_whenever_the_wall_clock_says_so(first: datetime, begin: int, length: int) -> None:
    end = (begin + length) % (24 * 60)
    schedule = read_schedule(f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02} Europe/Berlin")
    moment = first.replace(tzinfo=UTC)
    wall = moment.astimezone(BERLIN)
    minutes = wall.hour * 60 + wall.minute
    inside = begin <= minutes < end if begin < end else minutes >= begin or minutes < end
    day_change = wall.replace(hour=0, minute=0).utcoffset() != (wall + timedelta(days=1)).replace(hour=0).utcoffset()
    if not day_change:
        assert schedule.is_on(moment) == inside
    elif inside:
        assert schedule.is_on(moment)


def test_wanted_cameras_says_why_the_others_are_off() -> None:
    cameras = {
        "always": CameraSettings(source="a"),
        "paused": CameraSettings(source="a", paused=True),
        "office": CameraSettings(source="a", schedule="Mon-Fri 07:00-19:00 Europe/Berlin"),
        "night": CameraSettings(source="a", schedule="22:00-06:00 Europe/Berlin"),
        "both": CameraSettings(source="a", schedule="00:00-24:00 UTC", paused=True),
    }
    found = wanted_cameras(Settings(cameras=cameras), at("2026-12-04 18:30"))  # a Friday, 19:30 in Berlin
    assert found.running == ("always",)
    assert found.off == {
        "paused": "paused",
        "office": "off until Mon 07:00 CET",
        "night": "off until Fri 22:00 CET",
        "both": "paused",
    }
    found = wanted_cameras(Settings(cameras=cameras), at("2026-03-28 05:30"))  # the Saturday before summer time
    assert found.off["office"] == "off until Mon 07:00 CEST"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must hold days, times and a time zone"),
        ("Mon-Fri 07:00-19:00", "must end with a time zone"),
        ("Mon-Fri", "must end with a time zone"),
        ("07:00-19:00 Berlin", "'Berlin', which is not known; did you mean 'Europe/Berlin'?"),
        ("07:00-19:00 ../../etc/passwd", "must end with a time zone"),
        ("07:00-19:00 CEST", "'CEST', which is not known; write one like Europe/Berlin"),
        ("Mon-Fry 07:00-19:00 UTC", "has 'Mon-Fry' where days are expected"),
        ("Monday 07:00-19:00 UTC", "has 'Monday' where days are expected"),
        ("Mon 7-19 UTC", "has '7-19' where times such as 07:00-19:00 are expected"),
        ("Mon 07:00-25:00 UTC", "no time of the day"),
        ("Mon 07:00-19:60 UTC", "no time of the day"),
        ("Mon 07:00-07:00 UTC", "begins and ends at one time"),
        ("Mon 24:00-07:00 UTC", "begins at 24:00"),
        ("Mon 07:00-08:00,, UTC", "between its commas"),
        (", ".join(["Mon"] * 51) + " UTC", "at most 50 entries"),
        (["Mon"], "must be text"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_reason(text: object, problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CameraSettings.model_validate({"source": "x", "schedule": text})
    assert problem in refused.value.errors()[0]["msg"]
