"""When a recording is over, in any order in which its two streams are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import samples

from posebus.messages import Event, EventType, TrackFrame
from posebus.subscribing.subscription import Message
from recordings.inputs import Recording
from recordings.recording_analysis import RecordingAnalysis, RecordingResult
from recordings.results.tracks_writer import TracksWriter

RECORDING = Recording(source="clip.mp4", name="clip", camera="door", size_px=(640, 480), frames_expected=3)


@pytest.fixture
def analysis(tmp_path: Path) -> RecordingAnalysis:
    return RecordingAnalysis(RECORDING, TracksWriter(tmp_path, "clip"))


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


def test_analysis_is_over_after_the_last_frame_and_the_end(analysis: RecordingAnalysis, tmp_path: Path) -> None:
    for message in (track(0), track(1), track(2)):
        analysis.add(message)
        assert not analysis.is_over()
    analysis.add(ended(3))
    assert analysis.is_over()
    result = analysis.complete()
    assert (result.frames_in, result.tally.frames, result.warning, result.error) == (3, 3, None, None)
    assert lines(tmp_path) == 3


def test_end_that_is_read_first_waits_for_its_tracks(analysis: RecordingAnalysis) -> None:
    analysis.add(ended(3))
    assert not analysis.is_over()
    analysis.add(track(0))
    analysis.add(track(1))
    assert not analysis.is_over()
    analysis.add(track(2))
    assert analysis.is_over()


def test_frames_skipped_at_the_end_are_not_waited_for(analysis: RecordingAnalysis) -> None:
    analysis.add(track(0))
    analysis.add(ended(3))
    assert not analysis.is_over()  # more messages may arrive at the same moment
    assert analysis.is_over()
    result = analysis.complete()
    assert result.frames_in - result.tally.frames == 2


def test_cut_off_recording_ends_with_a_warning(analysis: RecordingAnalysis) -> None:
    analysis.add(track(0))
    analysis.add(ended(1, "clip.mp4 is cut off: 1 frames were read"))
    assert analysis.is_over()
    assert analysis.complete().warning == "clip.mp4 is cut off: 1 frames were read"


def test_second_epoch_starts_anew_and_late_messages_of_the_first_are_ignored(
    analysis: RecordingAnalysis, tmp_path: Path
) -> None:
    for message in (track(0), track(1), track(0, epoch=2), track(2, epoch=1), track(1, epoch=2), ended(2, epoch=2)):
        analysis.add(message)
    assert analysis.is_over()
    result = analysis.complete()
    assert (result.frames_in, result.tally.frames) == (2, 2)
    assert lines(tmp_path) == 2


def test_trouble_is_the_reason_of_the_last_camera_event(analysis: RecordingAnalysis) -> None:
    analysis.add(event(EventType.CAMERA_ONLINE, 0))
    assert analysis.trouble is None
    analysis.add(event(EventType.CAMERA_OFFLINE, 2, reason="the disk is gone"))
    assert analysis.trouble == "the disk is gone"


def test_failed_recording_keeps_its_partial_files(analysis: RecordingAnalysis, tmp_path: Path) -> None:
    analysis.add(track(0))
    result: RecordingResult = analysis.fail("clip.mp4 could not be read")
    assert result.error == "clip.mp4 could not be read"
    assert not (tmp_path / "clip.tracks.jsonl").exists()
    assert (tmp_path / "clip.tracks.jsonl.partial").exists()


def test_newest_advice_is_a_warning_beside_that_of_the_end(analysis: RecordingAnalysis) -> None:
    analysis.add(event(EventType.CAMERA_IMGSZ, 0, imgsz=640, advice="at 1280 px more"))
    analysis.add(event(EventType.CAMERA_IMGSZ, 1, imgsz=640, advice="at 1280 px many more"))
    analysis.add(event(EventType.CAMERA_RATE, 2, interval_s=5.0, advice="raise max_fps"))
    analysis.add(event(EventType.CAMERA_IMGSZ, 3, imgsz=640))
    analysis.add(ended(0, "the last picture is damaged"))
    warning = "the last picture is damaged; clip: at 1280 px many more; clip: raise max_fps"
    assert analysis.complete().warning == warning


def test_time_without_pictures_counts_while_the_source_is_away(analysis: RecordingAnalysis) -> None:
    assert analysis.offline_s(0.0) == 0.0
    analysis.add(event(EventType.CAMERA_OFFLINE, 0, reason="the disk is away"))
    assert [analysis.offline_s(now_s) for now_s in (10.0, 45.0)] == [0.0, 35.0]
    analysis.add(event(EventType.CAMERA_ONLINE, 0))
    assert analysis.offline_s(50.0) == 0.0
    assert (analysis.trouble, analysis.last_trouble) == (None, "the disk is away")


def test_recording_that_begins_again_and_again_is_counted(analysis: RecordingAnalysis) -> None:
    for epoch in (1, 2, 3):
        analysis.add(track(0, epoch))
        analysis.add(track(1, epoch))
    assert analysis.beginnings == 3
    assert [analysis.processes(pid) for pid in (11, 11, 12)] == [1, 1, 2]
