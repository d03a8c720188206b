"""The filters of subscriptions, and where they begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest

from posebus.messages import Event, Renaming, TrackFrame
from posebus.subscribing.filters import Filters, MessageFilter, kinds_of
from posebus.subscribing.positions import read_after
from posebus.subscribing.subscription import Message
from tests.samples import PROVENANCE, event, pose_frame, track_frame

NOW_MS = 1_800_000_000_000.0


def message(body: Any) -> Message:
    kind = "events" if isinstance(body, Event) else "tracks" if isinstance(body, TrackFrame) else "poses"
    return Message(kind, "door", body, PROVENANCE, "stream", "1-0")


def passes(only: MessageFilter, **changes: Any) -> bool:
    return only.apply(message(replace(event(), **changes))) is not None


def checked(*kinds: str, **filters: Any) -> MessageFilter:
    return MessageFilter.checked(kinds or ("tracks", "events"), cast(Filters, filters))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["posebus.fall.detected"], [True, False, False]),
        (["posebus.fall*"], [True, True, False]),
        (["posebus.zone.left", "posebus.fall.*"], [True, False, True]),
        (["*"], [True, True, True]),
        (["posebus.fall"], [False, False, False]),
    ],
)
def test_types_are_exact_or_the_beginning_of_a_type(wanted: list[str], found: list[bool]) -> None:
    only = checked(types=wanted)
    kinds = ("posebus.fall.detected", "posebus.fallen.detected", "posebus.zone.left")
    assert [passes(only, type=kind) for kind in kinds] == found


def test_rules_choose_events_of_these_rules_alone() -> None:
    only = checked(rules=["till", "gate"])
    data: list[dict[str, Any]] = [{"rule": "till"}, {"rule": "door"}, {}, {"rule": ["till"]}]
    assert [passes(only, data=one) for one in data] == [True, False, False, False]


def test_tracks_choose_events_about_them_and_narrow_frames_to_them() -> None:
    only = checked(tracks=[2, 9])
    data: list[dict[str, Any]] = [
        {"track_id": 2},
        {"track_id": 1, "other_track_id": 9},
        {"track_id": 1, "renamed_to": 2},
        {"track_id": 1},
        {"track_id": None},
        {},
    ]
    assert [passes(only, data=one) for one in data] == [True, True, True, False, False, False]
    narrowed = only.apply(message(track_frame(3, ids=(1, 2, 3))))
    assert narrowed is not None
    assert isinstance(narrowed.body, TrackFrame)
    assert [track.id for track in narrowed.body.tracks] == [2]
    assert only.apply(message(track_frame(3, ids=(1, 3)))) is None
    correcting = replace(track_frame(3, ids=(1, 3)), renamed=(Renaming(2, 3, 1), Renaming(7, 1, 1)))
    corrected = only.apply(message(correcting))
    assert corrected is not None
    assert isinstance(corrected.body, TrackFrame)
    assert (corrected.body.tracks, corrected.body.renamed) == ((), (Renaming(2, 3, 1),))


def test_all_filters_apply_together_and_none_changes_nothing() -> None:
    only = checked(types=["posebus.zone.*"], rules=["till"], tracks=[7])
    good: dict[str, Any] = {"type": "posebus.zone.left", "data": {"rule": "till", "track_id": 7}}
    assert passes(only, **good)
    assert not passes(only, **{**good, "type": "posebus.fall.detected"})
    assert not passes(only, **{**good, "data": {"rule": "gate", "track_id": 7}})
    assert not passes(only, **{**good, "data": {"rule": "till", "track_id": 8}})
    for body in (event(), track_frame(), pose_frame()):
        assert MessageFilter().apply(message(body)) == message(body)


def test_a_filter_of_events_asks_for_events_alone_unless_kinds_are_given() -> None:
    assert kinds_of(None, {}) == ("tracks", "events")
    assert kinds_of(None, {"tracks": [1]}) == ("tracks", "events")
    assert kinds_of(None, {"types": ["posebus.*"]}) == ("events",)
    assert kinds_of(None, {"rules": ["till"], "types": None}) == ("events",)
    assert kinds_of(("tracks", "events"), {"rules": ["till"]}) == ("tracks", "events")


@pytest.mark.parametrize(
    ("kinds", "filters", "sentence"),
    [
        (["events"], {"types": "posebus.fall.detected"}, "types must be a list, not the text"),
        (["events"], {"rules": []}, "rules must be a list of one or more texts"),
        (["events"], {"types": [""]}, "types must be a list of one or more texts"),
        (["events"], {"tracks": "7"}, "tracks must be a list of one or more whole numbers"),
        (["events"], {"tracks": 7}, "tracks must be a list of one or more whole numbers"),
        (["events"], {"tracks": [True]}, "tracks must be a list of one or more whole numbers"),
        (["events"], {"tracks": [-1]}, "tracks must be a list of one or more whole numbers"),
        (["tracks"], {"types": ["posebus.*"]}, "types is a filter of events: add events to kinds"),
        (["tracks"], {"rules": ["till"]}, "rules is a filter of events: add events to kinds"),
        (["poses"], {"tracks": [1]}, "poses have no numbers of tracks"),
    ],
    ids=str,
)
def test_a_wrong_filter_is_refused_with_a_sentence(kinds: list[str], filters: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        checked(*kinds, **filters)


@pytest.mark.parametrize(
    "after",
    [
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20.000+00:00",
        "2023-11-14T23:13:20+01:00",
        datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        datetime(2023, 11, 14, 16, 13, 20, tzinfo=timezone(timedelta(hours=-6))),
        datetime.fromtimestamp(1_700_000_000),
    ],
    ids=str,
)
def test_a_time_is_the_position_before_the_first_entry_of_its_millisecond(after: str | datetime) -> None:
    beginning = read_after(after, NOW_MS)
    assert (beginning.now, beginning.time_ms) == (False, 1_700_000_000_000)
    assert beginning.before_time == f"1699999999999-{2**64 - 1}"


def test_a_time_before_all_is_the_start_and_one_in_the_future_is_refused() -> None:
    assert read_after("1969-12-31T00:00:00Z", NOW_MS).before_time == "0-0"
    with pytest.raises(ValueError, match="is a time in the future, 2027-01-15T08:02:00"):
        read_after(datetime.fromtimestamp(NOW_MS / 1000 + 120, UTC), NOW_MS)
    assert read_after(datetime.fromtimestamp(NOW_MS / 1000 + 10, UTC), NOW_MS).time_ms == NOW_MS + 10_000
    with pytest.raises(ValueError, match="a time such as 2026-12-01T05:00:00Z, or the cursor"):
        read_after("yesterday", NOW_MS)
