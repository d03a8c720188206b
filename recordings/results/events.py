"""NAME.events.jsonl: the events of one recording in the order of its frames, with final numbers; also as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from posebus.contract.public_json import dump, event_to_json
from posebus.messages import Delivery, EndOfStream, Event, EventType, TrackFrame
from posebus.tables.times import TimeOrigin
from recordings.results.files import PartialFile
from recordings.results.formats.writer import FILE_EPOCH, Message, Target
from recordings.results.people.table import FORMULA
from tracking.events import EventsOfTracks

OF_TRACKS = (
    *(EventType.TRACK_STARTED, EventType.TRACK_LOST, EventType.TRACK_ENDED, EventType.TRACK_RENAMED),
    EventType.TRACK_FINISHED,
)
"""Events that are derived again from frames with final numbers: as published, they have the numbers of that moment."""

COLUMNS = (
    *("time_s", "time_ns", "frame", "type", "track_id", "first_seen_ns", "last_seen_ns", "duration_s"),
    *("box_x1_px", "box_y1_px", "box_x2_px", "box_y2_px", "reason", "data"),
)
"""Columns of NAME.events.csv. `data` is a JSON object of all that has no column of its own."""


class EventsFile:
    """The writer of NAME.events.jsonl and, with the format `csv`, of NAME.events.csv.

    `write` takes the frames with final numbers, and derives the events of tracks and rules from them, as the tracker
    does from its own. `add` takes the published events of the camera; each is written before the events of its frame.
    """

    def __init__(self, target: Target) -> None:
        """Raises OutputError, as all methods do."""
        self._name = target.name
        self._chosen_rules = target.rules
        self._files = [PartialFile(target.folder / f"{target.name}.events.jsonl")]
        if "csv" in target.formats:
            self._files.append(PartialFile(target.folder / f"{target.name}.events.csv"))
        self._begin()

    def add(self, event: Event) -> None:
        """Take a published event; those of tracks and rules are left out, as they are derived from the frames."""
        if event.type in OF_TRACKS or "happening" in event.data:
            return
        if event.type == EventType.CAMERA_CUT:
            self._cuts.add(event.seq)
        self._waiting.append(event)

    def write(self, frame: TrackFrame, message: Message) -> None:
        """Write the events before and in a frame."""
        self._times.time_s(message)
        self._write_waiting(frame.seq)
        self._write(self._of_tracks.update(frame, "cut" if frame.seq in self._cuts else "unseen"))
        self._cuts.discard(frame.seq)

    def restart(self) -> None:
        """Delete all that was written so far."""
        for file in self._files:
            file.restart()
        self._begin()

    def complete(self) -> None:
        """Write what comes after the last frame, and give the files their final names."""
        end = next((event for event in self._waiting if event.type == EventType.CAMERA_ENDED), None)
        if end is not None:
            self._write_waiting(end.seq - 1)
            mark = EndOfStream(self._name, FILE_EPOCH, end.seq, end.time_ns, Delivery.LOSSLESS)
            self._write(self._of_tracks.source_ended(mark))
        self._write_waiting(None)
        for file in self._files:
            file.complete()

    def close(self) -> None:
        """Close the files; incomplete ones keep their partial names."""
        for file in self._files:
            file.close()

    def _begin(self) -> None:
        self._of_tracks = EventsOfTracks(self._name, self._chosen_rules)
        self._times = TimeOrigin()
        self._waiting: list[Event] = []
        self._cuts: set[int] = set()
        if len(self._files) > 1:
            self._files[1].write(_csv_line(COLUMNS))

    def _write_waiting(self, until_seq: int | None) -> None:
        due = [event for event in self._waiting if until_seq is None or event.seq <= until_seq]
        self._waiting = [event for event in self._waiting if until_seq is not None and event.seq > until_seq]
        self._write(sorted(due, key=lambda event: event.seq))

    def _write(self, events: Iterable[Event]) -> None:
        for event in events:
            named = _named(event, self._name)
            self._files[0].write(dump(event_to_json(named)) + "\n")
            if len(self._files) > 1:
                self._files[1].write(_csv_line(_row(named, self._times)))


def _named(event: Event, name: str) -> Event:
    """Return the event with the name of the recording and the epoch of files; it had others in the broker.

    The times of its publication are left out, so that the same recording gives the same file.
    """
    return replace(
        event,
        id=event.id.replace(f"{event.camera}/{event.epoch}/", f"{name}/{FILE_EPOCH}/", 1),
        source=event.source.replace(event.camera, name, 1),
        subject=event.subject.replace(event.camera, name, 1),
        camera=name,
        epoch=FILE_EPOCH,
        sequence="",
        detected_at_ns=0,
        published_at_ns=0,
    )


def _row(event: Event, times: TimeOrigin) -> list[Any]:
    data = dict(event.data)
    track_id, first_ns, last_ns, duration_s, box, reason = (
        data.pop(name, "")
        for name in ("track_id", "first_seen_ns", "last_seen_ns", "duration_s", "box_xyxy_px", "reason")
    )
    moment = {"camera": event.camera, "epoch": event.epoch, "captured_at_ns": event.time_ns, "clock": "file"}
    return [
        *(times.time_s(moment), event.time_ns, event.seq, event.type, track_id, first_ns, last_ns, duration_s),
        *(box or ("",) * 4),
        f"'{reason}" if str(reason).startswith(FORMULA) else reason,
        json.dumps(data, ensure_ascii=False) if data else "",
    ]


def _csv_line(values: Iterable[Any]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(values)
    return text.getvalue()
