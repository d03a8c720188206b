"""Rules over saved tracks: the events of the run that saved them, also where the picture changed to another shot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posebus.contract.events import Position, camera_event
from posebus.contract.public_json import dump, event_to_json, track_frame_to_json
from posebus.errors import MalformedMessage
from posebus.messages import CaptureClock, Delivery, EventType, Provenance, Track, TrackFrame
from recordings.results.events import EventsFile
from recordings.results.formats.writer import FILE_EPOCH, Target
from recordings.rules.replay import replayed, saved_cuts, saved_frames

RULES: dict[str, Any] = {
    "till": {"kind": "zone", "points": [[0, 0], [320, 0], [320, 480], [0, 480]]},
    "gate": {"kind": "line", "points": [[320, 0], [320, 480]]},
}
SIZE_PX = (640, 480)
CUT_SEQ = 20
PROVENANCE = Provenance(CaptureClock.FILE, Delivery.LOSSLESS, 0, 0)


def track(number: int, x_px: float, state: str = "confirmed") -> Track:
    """A person of 200 pixels with the feet at y = 300."""
    box = np.array([x_px - 40, 100, x_px + 40, 300], np.float32)
    return Track(number, box, 0.9, None, state, 1.0)


def frames() -> Iterator[TrackFrame]:
    """One person stands in the zone, another one beyond the line; then another shot, with another person."""
    for seq in range(2 * CUT_SEQ):
        tracks = [track(1, 160), track(2, 500)] if seq < CUT_SEQ else [track(3, 480)]
        if seq == CUT_SEQ:
            tracks += [track(1, 160, "ended"), track(2, 500, "ended")]
        yield TrackFrame("town", FILE_EPOCH, seq, seq * 100_000_000, SIZE_PX, tuple(tracks))


def saved(folder: Path) -> Path:
    """The files of a run: town.tracks.jsonl, and the events that it derives from the same frames."""
    path = folder / "town.tracks.jsonl"
    events = EventsFile(Target(folder, "town", rules=RULES))
    cut = camera_event(EventType.CAMERA_CUT, "town", position(CUT_SEQ), {"shot": 1, "ended": 2})
    with path.open("w") as file:
        for frame in frames():
            line = track_frame_to_json(frame, PROVENANCE, 0)
            file.write(dump(line) + "\n")
            if frame.seq == CUT_SEQ:
                events.add(cut)
            events.write(frame, line)
    events.add(camera_event(EventType.CAMERA_ENDED, "town", position(2 * CUT_SEQ), {"frames": 40, "reason": "end"}))
    events.complete()
    return path


def position(seq: int) -> Position:
    return Position(FILE_EPOCH, seq, seq * 100_000_000)


def of_rules(path: Path) -> list[dict[str, Any]]:
    lines = map(json.loads, path.read_text().splitlines())
    return [line for line in lines if "happening" in line["data"]]


def test_another_shot_ends_what_was_happening_as_in_the_run(tmp_path: Path) -> None:
    tracks = saved(tmp_path)
    cuts = saved_cuts(tracks)
    assert cuts == {(FILE_EPOCH, CUT_SEQ)}
    events = [event_to_json(event) for event in replayed(saved_frames(tracks), RULES, cuts)]
    assert [(one["type"], one["data"].get("reason")) for one in events] == [
        ("posebus.zone.entered", None),
        ("posebus.zone.left", "cut"),
    ], "nobody has walked away, and nobody over the line"
    times = [one["data"]["captured_at_ns"] for one in events]
    assert times[1] == CUT_SEQ * 100_000_000
    assert events == of_rules(tmp_path / "town.events.jsonl")


def test_without_the_events_of_the_run_a_cut_looks_like_people_who_vanish(tmp_path: Path) -> None:
    tracks = saved(tmp_path)
    (tmp_path / "town.events.jsonl").unlink()
    assert saved_cuts(tracks) is None
    assert [event.data.get("reason") for event in replayed(saved_frames(tracks), RULES)] == [None, "unseen"]


def test_what_watch_prints_holds_tracks_and_cuts_in_one_file(tmp_path: Path) -> None:
    """Live, the event may be printed before its frame or after it; the epoch is that of the camera."""
    path = tmp_path / "watched.jsonl"
    cut = camera_event(EventType.CAMERA_CUT, "town", replace_epoch(position(CUT_SEQ)), {"shot": 1, "ended": 2})
    online = camera_event(EventType.CAMERA_ONLINE, "town", replace_epoch(position(0)), {})
    lines: list[Any] = [event_to_json(online)]
    for frame in frames():
        lines.append(track_frame_to_json(replace(frame, epoch=7), PROVENANCE, 0))
        if frame.seq == CUT_SEQ + 1:
            lines.append(event_to_json(cut))
    path.write_text("".join(dump(line) + "\n" for line in lines))
    assert len(list(saved_frames(path))) == 2 * CUT_SEQ
    cuts = saved_cuts(path)
    assert cuts == {(7, CUT_SEQ)}
    assert [event.data.get("reason") for event in replayed(saved_frames(path), RULES, cuts)] == [None, "cut"]


def replace_epoch(at: Position) -> Position:
    return at._replace(epoch=7)


def test_a_cut_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    tracks = saved(tmp_path)
    events = tmp_path / "town.events.jsonl"
    events.write_text('{"type": "posebus.track.started"}\n{"type": "posebus.camera.cut"}\n')
    with pytest.raises(MalformedMessage, match=r"town\.events\.jsonl:2: "):
        saved_cuts(tracks)
