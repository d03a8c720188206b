"""When a recording is over, whatever order its two streams are read in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import samples

from posebus.messages import Event, EventType, TrackFrame
from posebus.subscribing.subscription import Message
from recordings.analysis import Analysis, Outcome
from recordings.inputs import Recording
from recordings.results.files import TracksWriter

RECORDING = Recording("clip.mp4", "clip", "door", (640, 480), 3)


@pytest.fixture
def analysis(tmp_path: Path) -> Analysis:
    return Analysis(RECORDING, TracksWriter(tmp_path, "clip"))


def track(seq: int, epoch: int = 1) -> Message:
    frame: TrackFrame = replace(samples.track_frame(seq), epoch=epoch)
    return Message("tracks", "door", frame, samples.PROVENANCE, "stream", f"{seq}-0")


def event(kind: EventType, seq: int, epoch: int = 1, **data: object) -> Message:
    body: Event = replace(samples.event(seq, kind=kind), epoch=epoch, data=dict(data))
    return Message("events", "door", body, None, "stream", f"{seq}-0")


def ended(seq: int, reason: str = "end of file", epoch: int = 1) -> Message:
    return event(EventType.CAMERA_ENDED, seq, epoch, frames=seq, reason=reason)


def lines(tmp_path: Path) -> int:
    return len((tmp_path / "clip.tracks.jsonl").read_text().splitlines())


def test_it_is_over_with_the_last_frame_and_the_end(analysis: Analysis, tmp_path: Path) -> None:
    for message in (track(0), track(1), track(2)):
        analysis.take(message)
        assert not analysis.over()
    analysis.take(ended(3))
    assert analysis.over()
    outcome = analysis.complete()
    assert (outcome.frames_in, outcome.tally.frames, outcome.warning, outcome.error) == (3, 3, None, None)
    assert lines(tmp_path) == 3


def test_an_end_that_is_read_first_waits_for_its_tracks(analysis: Analysis) -> None:
    analysis.take(ended(3))
    assert not analysis.over()
    analysis.take(track(0))
    analysis.take(track(1))
    assert not analysis.over()
    analysis.take(track(2))
    assert analysis.over()


def test_frames_skipped_at_the_end_are_not_waited_for(analysis: Analysis) -> None:
    analysis.take(track(0))
    analysis.take(ended(3))
    assert not analysis.over()  # more may have come in the same moment
    assert analysis.over()
    outcome = analysis.complete()
    assert outcome.frames_in - outcome.tally.frames == 2


def test_a_recording_that_is_cut_off_ends_with_a_warning(analysis: Analysis) -> None:
    analysis.take(track(0))
    analysis.take(ended(1, "clip.mp4 is cut off: 1 frames were read"))
    assert analysis.over()
    assert analysis.complete().warning == "clip.mp4 is cut off: 1 frames were read"


def test_a_second_epoch_begins_anew_and_late_ones_of_the_first_are_ignored(analysis: Analysis, tmp_path: Path) -> None:
    for message in (track(0), track(1), track(0, epoch=2), track(2, epoch=1), track(1, epoch=2), ended(2, epoch=2)):
        analysis.take(message)
    assert analysis.over()
    outcome = analysis.complete()
    assert (outcome.frames_in, outcome.tally.frames) == (2, 2)
    assert lines(tmp_path) == 2


def test_trouble_is_what_ingest_said_last(analysis: Analysis) -> None:
    analysis.take(event(EventType.CAMERA_ONLINE, 0))
    assert analysis.trouble is None
    analysis.take(event(EventType.CAMERA_OFFLINE, 2, reason="the disk is gone"))
    assert analysis.trouble == "the disk is gone"


def test_a_failure_leaves_what_was_written_under_its_partial_name(analysis: Analysis, tmp_path: Path) -> None:
    analysis.take(track(0))
    outcome: Outcome = analysis.fail("clip.mp4 could not be read")
    assert outcome.error == "clip.mp4 could not be read"
    assert not (tmp_path / "clip.tracks.jsonl").exists()
    assert (tmp_path / "clip.tracks.jsonl.partial").exists()
