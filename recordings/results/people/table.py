"""NAME.people.csv: one row for each person of a recording, counted while the tracks are written."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posebus.contract.public_json import parse, track_frame_from_json
from posebus.messages import TrackFrame, TrackState
from posebus.tables.times import TimeOrigin
from recordings.results.files import write_at_once
from recordings.results.formats.writer import Message, Target
from recordings.results.people.moments import BestMoments
from recordings.results.people.person import Moment, Person
from tracking.events.showing import qualities
from tracking.events.way import PersonWay, trunk_of

COLUMNS = tuple(Person(0, 0, 0, 0.0, 0.0, 0, 0, 0, 0, 0.0, 0.0, 0.0, Moment(0, 0.0, 0, (0.0,) * 4, 0.0)).row())
FORMULA = ("=", "+", "-", "@")
"""A spreadsheet takes a text that begins like this for a formula."""


class _Seen:
    """What was counted of one number."""

    def __init__(self, moment: Moment) -> None:
        self.first = self.last = moment
        self.detected = self.present = 0
        self.largest_height_px = 0.0
        self.way = PersonWay()
        self.moments = BestMoments()

    def person(self, track_id: int) -> Person:
        way, moments = self.way.measured, self.moments.in_order
        return Person(
            track_id=track_id,
            first_frame=self.first.frame,
            last_frame=self.last.frame,
            first_seen_s=self.first.time_s,
            last_seen_s=self.last.time_s,
            first_seen_ns=self.first.captured_at_ns,
            last_seen_ns=self.last.captured_at_ns,
            frames_detected=self.detected,
            frames_present=self.present,
            distance_px=round(way.length_px, 1),
            distance_body_heights=round(way.body_heights, 2),
            largest_height_px=round(self.largest_height_px, 2),
            best=moments[0] if moments else self.first,
            moments=moments,
        )


class PeopleTable:
    """Counts the people in the frames of one recording, and writes NAME.people.csv when it is complete.

    A person is a number that was ever confirmed. It is a writer like those of the formats.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._begin()

    @property
    def people(self) -> list[Person]:
        """The people in the frames so far, by their numbers."""
        return [seen.person(number) for number, seen in sorted(self._seen.items()) if seen.present]

    def write(self, frame: TrackFrame, message: Message) -> None:
        """Count the people of a frame."""
        time_s = self._times.time_s(message)
        tracks = [track for track in message["tracks"] if track["state"] != TrackState.ENDED]
        boxes, flags = ([track[name] for track in tracks] for name in ("box_xyxy_px", "keypoint_visibility"))
        for track, quality in zip(tracks, qualities(boxes, flags, message["size_px"]), strict=True):
            moment = Moment(frame.seq, time_s, frame.captured_at_ns, tuple(track["box_xyxy_px"]), quality)
            self._count(track, moment)
        for track in message["tracks"]:
            if track["state"] == TrackState.ENDED and track["id"] in self._seen and not self._seen[track["id"]].present:
                del self._seen[track["id"]]  # never confirmed: of a busy recording, these are many

    def restart(self) -> None:
        """Forget all people, because the recording is read again."""
        self._begin()

    def complete(self) -> None:
        """Write the file. Raises OutputError."""
        write_people(self._target.folder, self._target.name, self.people)

    def close(self) -> None:
        """Do nothing: the file is written at once."""

    def _begin(self) -> None:
        self._times = TimeOrigin()
        self._seen: dict[int, _Seen] = {}

    def _count(self, track: dict[str, Any], moment: Moment) -> None:
        seen = self._seen.get(track["id"])
        if seen is None:
            seen = self._seen[track["id"]] = _Seen(moment)
        confirmed = track["state"] == TrackState.CONFIRMED
        seen.present += confirmed
        if track["coasted"]:
            return
        seen.last = moment
        seen.detected += 1
        seen.way.add(track["box_xyxy_px"], trunk_of(track["keypoints_px"], track["keypoint_visibility"]))
        seen.largest_height_px = max(seen.largest_height_px, moment.box_xyxy_px[3] - moment.box_xyxy_px[1])
        if confirmed:
            seen.moments.add(moment)


def people_in(jsonl: Path) -> list[Person]:
    """Return the people in NAME.tracks.jsonl. Raises MalformedMessage, OSError."""
    table = PeopleTable(Target(jsonl.parent, jsonl.name))
    with jsonl.open("rb") as lines:
        for line in lines:
            message = parse(line)
            table.write(track_frame_from_json(message)[0], message)
    return table.people


def write_people(folder: Path, name: str, people: Sequence[Person]) -> None:
    """Write NAME.people.csv at once. Raises OutputError."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for person in people:
        row = person.row()
        if row["snapshot"] is not None and row["snapshot"].startswith(FORMULA):
            row["snapshot"] = f"./{row['snapshot']}"
        writer.writerow(row)
    write_at_once(folder / f"{name}.people.csv", text.getvalue().encode(errors="backslashreplace"))
