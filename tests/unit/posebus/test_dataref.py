"""References from events to their evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples

from posebus.contract.evidence import FrameReference, dataref, frame_of_event_id, read_dataref, with_evidence

EPOCH = 1_764_565_574_123_456


def test_a_reference_names_a_frame() -> None:
    assert dataref("door", EPOCH, 42) == f"posebus-evidence:door/{EPOCH}/42"
    assert read_dataref(f"posebus-evidence:door/{EPOCH}/42") == FrameReference("door", EPOCH, 42)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "door/1/2",
        "posebus-evidence:door/1",
        "posebus-evidence:door/1/2/3",
        "posebus-evidence:/1/2",
        "posebus-evidence:a:b/1/2",
        "posebus-evidence:do\nor/1/2",
        "posebus-evidence:door/-1/2",
        "posebus-evidence:door/1/x",
        f"posebus-evidence:door/{2**53 + 1}/2",
        "posebus-evidence:door/" + "9" * 5000 + "/2",
        "https://example.org/door/1/2",
    ],
)
def test_other_texts_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"evidence begins with|three parts|must name a camera"):
        read_dataref(text)


def test_the_frame_of_an_event_stands_in_its_id() -> None:
    assert frame_of_event_id("door/7/42/posebus.line.crossed/gate/3") == FrameReference("door", 7, 42)
    for wrong in ("door/7/42", "door", "door/x/42/posebus.line.crossed", ""):
        with pytest.raises(ValueError, match=r"CAMERA/EPOCH/SEQ"):
            frame_of_event_id(wrong)


def test_events_of_rules_refer_to_the_snapshot_of_their_frame() -> None:
    crossed = samples.event(5, kind="posebus.line.crossed")
    crossed = replace(crossed, data={**crossed.data, "rule": "gate"})
    of_track = samples.event(6)
    elsewhere = replace(crossed, dataref="https://example.org/7")
    found = with_evidence([crossed, of_track, elsewhere])
    assert [one.dataref for one in found] == ["posebus-evidence:door/1/5", None, "https://example.org/7"]
    assert [one.id for one in found] == [crossed.id, of_track.id, elsewhere.id]


@pytest.mark.parametrize(("age_s", "expected"), [(7, "posebus-evidence:door/1/3"), (9, None)])
def test_a_finished_track_refers_to_its_best_moment_while_its_picture_may_be_there(
    age_s: int, expected: str | None
) -> None:
    best = {"epoch": 1, "seq": 3, "captured_at_ns": 120_000_000, "box_xyxy_px": [1, 2, 3, 4]}
    finished = samples.event(5, kind="posebus.track.finished")
    finished = replace(finished, time_ns=120_000_000 + age_s * 1_000_000_000, data={"track_id": 7, "best": best})
    assert [one.dataref for one in with_evidence([finished])] == [expected]
