"""`posebus.track.*` events derived from successive TrackFrames. Pure: the same frames give the same events."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posebus.contract.events import Position, track_event
from posebus.messages import MAX_RENAME_DELAY_S, EndOfStream, Event, EventType, Track, TrackFrame, TrackState


@dataclass(slots=True)
class _Life:
    """A track that was announced: when it was first and last detected, and whether it is lost."""

    first_seen_ns: int
    last_seen_ns: int
    lost: bool

    def since(self, time_ns: int) -> _Life:
        """The part of this life since a time."""
        return _Life(max(self.first_seen_ns, time_ns), max(self.last_seen_ns, time_ns), self.lost)

    def joined(self, others: Sequence[_Life], left_ns: int | None) -> _Life:
        """The life of one person who was also the `others`; from `left_ns` on, this one was another person."""
        parts = list(others)
        if left_ns is None:
            parts.append(self)
        elif not others or self.first_seen_ns < left_ns:
            parts.append(_Life(self.first_seen_ns, min(self.last_seen_ns, left_ns), lost=True))
        return _Life(
            min(part.first_seen_ns for part in parts),
            max(part.last_seen_ns for part in parts),
            lost=all(part.lost for part in parts),
        )


class TrackEvents:
    """Events of one camera's identities: each number has one `started`, any number of `lost`, and one `ended`.

    - started: the track is confirmed for the first time.
    - lost: it is no longer confirmed; last_seen_ns is the time of its last detection, before any coasting. A track that
      comes back has no event of its own (the tracks stream shows it) and may be lost again.
    - ended: it was announced and will not come back, reported until then or not.
    - renamed: the frame corrects the number `track_id` since an earlier frame. If that number is not used any more, its
      `ended` follows at once, with the reason `renamed`: the person is still present, under another number, which has
      its own `started`. So the numbers that started and did not end are the people present, at any time.

    Tracks that were never confirmed have no events, but for exchanges with one that was.

    `data` of started, lost and ended: track_id, first_seen_ns, last_seen_ns, duration_s (from first to last detection),
    box_xyxy_px (of this frame, where it reports the track) and, for `ended`, reason: `unseen`, `cut` (the picture shows
    another place), `source ended` or `renamed` (then also renamed_to). `data` of renamed: track_id, renamed_to,
    since_seq and since_ns (the first frame with the wrong number, and its capture time), exchanged (whether
    `renamed_to` becomes `track_id` at the same time).

    `time_ns` is the capture time of the frame that an event is about. If the tracker continues an identity after the
    end of its source was announced, it is announced as started again.
    """

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._lives: dict[int, _Life] = {}
        self._epoch = -1
        self._times: deque[tuple[int, int]] = deque()
        """(seq, captured_at_ns) of the frames of this epoch that a correction may reach."""

    def update(self, frame: TrackFrame, ended_by: str = "unseen") -> list[Event]:
        """The events of one frame: first its corrections, then the others in the order of its tracks.

        `ended_by` is the reason of the tracks that the frame ends.
        """
        self._note_time(frame)
        events = self._rename(frame) if frame.renamed else []
        for track in frame.tracks:
            kind = self._follow(frame, track)
            if kind is None:
                continue
            data = _data(track.id, self._lives[track.id])
            data["box_xyxy_px"] = [round(float(side), 1) for side in track.box_xyxy_px]
            if kind is EventType.TRACK_ENDED:
                data["reason"] = ended_by
                del self._lives[track.id]
            position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
            events.append(track_event(kind, self._camera, track.id, position, data))
        return events

    def source_ended(self, end: EndOfStream) -> list[Event]:
        """The events at the end of the source: every announced identity ends, oldest first."""
        events = []
        for track_id in sorted(self._lives):
            data = {**_data(track_id, self._lives[track_id]), "reason": "source ended"}
            position = Position(end.epoch, end.seq, end.captured_at_ns)
            events.append(track_event(EventType.TRACK_ENDED, self._camera, track_id, position, data))
        self._lives.clear()
        self._times.clear()
        return events

    def state_dict(self) -> dict[str, Any]:
        """The announced tracks and the times of recent frames: JSON scalars and lists, and a numpy array."""
        return {
            "lives": [
                [track_id, life.first_seen_ns, life.last_seen_ns, life.lost] for track_id, life in self._lives.items()
            ],
            "epoch": self._epoch,
            # An array, because packing lists of so many numbers would take longer than following the tracks.
            "times": np.array(self._times, np.int64).reshape(-1, 2),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        self._lives = {
            int(track_id): _Life(int(first_ns), int(last_ns), bool(lost))
            for track_id, first_ns, last_ns, lost in state["lives"]
        }
        # Snapshots of earlier releases have no times.
        self._epoch = int(state.get("epoch", -1))
        times = np.asarray(state.get("times", []), np.int64).reshape(-1, 2)
        self._times = deque((seq, captured_at_ns) for seq, captured_at_ns in times.tolist())

    def _note_time(self, frame: TrackFrame) -> None:
        times = self._times
        if frame.epoch != self._epoch or (times and frame.captured_at_ns <= times[-1][1]):
            times.clear()
        self._epoch = frame.epoch
        times.append((frame.seq, frame.captured_at_ns))
        while frame.captured_at_ns - times[0][1] > MAX_RENAME_DELAY_S * 1e9:
            times.popleft()

    def _rename(self, frame: TrackFrame) -> list[Event]:
        """Move the lives to their corrected numbers; returns the events of that."""
        position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
        new_ids = {one.from_id: one.to_id for one in frame.renamed}
        since_ns = {one.from_id: self._since_ns(one.since_seq) for one in frame.renamed}
        before, ceased = self._lives, new_ids.keys() - new_ids.values()
        events = []
        for one in frame.renamed:
            if one.from_id in before or (one.from_id not in ceased and one.to_id in before):
                data: dict[str, Any] = {
                    "track_id": one.from_id,
                    "renamed_to": one.to_id,
                    "since_seq": one.since_seq,
                    "since_ns": since_ns[one.from_id],
                    "exchanged": new_ids.get(one.to_id) == one.from_id,
                }
                events.append(track_event(EventType.TRACK_RENAMED, self._camera, one.from_id, position, data))
        for track_id in sorted(ceased & before.keys()):
            data = {**_data(track_id, before[track_id]), "reason": "renamed", "renamed_to": new_ids[track_id]}
            events.append(track_event(EventType.TRACK_ENDED, self._camera, track_id, position, data))
        self._lives = {}
        for track_id, life in before.items():
            if track_id not in ceased:
                joins = [old for old, new in new_ids.items() if new == track_id and old in before]
                moved = [before[old].since(since_ns[old]) for old in joins]
                self._lives[track_id] = life.joined(moved, since_ns.get(track_id))
        return events

    def _since_ns(self, seq: int) -> int:
        """The capture time of the first frame since `seq` that is still known."""
        known = (captured_at_ns for known_seq, captured_at_ns in self._times if known_seq >= seq)
        return next(known, self._times[-1][1])

    def _follow(self, frame: TrackFrame, track: Track) -> EventType | None:
        """Take over the state of the track in `frame`; returns the kind of event that follows, if any."""
        life = self._lives.get(track.id)
        if track.state == TrackState.CONFIRMED:
            if life is None:
                first_seen_ns = frame.captured_at_ns - round(track.age_s * 1e9)
                self._lives[track.id] = _Life(first_seen_ns, frame.captured_at_ns, lost=False)
                return EventType.TRACK_STARTED
            life.lost = False
            if not track.coasted:
                life.last_seen_ns = frame.captured_at_ns
            return None
        if life is None:
            return None
        if track.state == TrackState.ENDED:
            return EventType.TRACK_ENDED
        if track.state == TrackState.LOST and not life.lost:
            life.lost = True
            return EventType.TRACK_LOST
        return None


def _data(track_id: int, life: _Life) -> dict[str, Any]:
    return {
        "track_id": track_id,
        "first_seen_ns": life.first_seen_ns,
        "last_seen_ns": life.last_seen_ns,
        "duration_s": round(max(life.last_seen_ns - life.first_seen_ns, 0) / 1e9, 3),
    }
