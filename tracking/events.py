"""`posebus.track.*` events derived from successive TrackFrames. Pure: the same frames give the same events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from posebus.contract.events import Position, track_event
from posebus.messages import EndOfStream, Event, EventType, Track, TrackFrame, TrackState


@dataclass(slots=True)
class _Life:
    """A track that was announced: when it was first and last detected, and whether it is lost."""

    first_seen_ns: int
    last_seen_ns: int
    lost: bool


class TrackEvents:
    """Events of one camera's identities: each has one `started`, any number of `lost`, and one `ended`.

    - started: the track is confirmed for the first time.
    - lost: it is no longer confirmed; last_seen_ns is the time of its last detection, before any coasting. A track that
      comes back has no event of its own (the tracks stream shows it) and may be lost again.
    - ended: it was announced and will not come back, reported until then or not.

    Tracks that were never confirmed have no events.

    `data` of every event: track_id, first_seen_ns, last_seen_ns, duration_s (from first to last detection), box_xyxy_px
    (of this frame; not with the end of a source) and, for `ended`, reason: `unseen`, `cut` (the picture shows another
    place) or `source ended`.

    `time_ns` is the capture time of the frame that an event is about. If the tracker continues an identity after the
    end of its source was announced, it is announced as started again.
    """

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._lives: dict[int, _Life] = {}

    def update(self, frame: TrackFrame, ended_by: str = "unseen") -> list[Event]:
        """The events of one frame, in the order of its tracks; `ended_by`: the reason of those that it ends."""
        events = []
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
        return events

    def state_dict(self) -> dict[str, Any]:
        """The announced tracks, as JSON scalars and lists."""
        return {
            "lives": [
                [track_id, life.first_seen_ns, life.last_seen_ns, life.lost] for track_id, life in self._lives.items()
            ]
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        self._lives = {
            int(track_id): _Life(int(first_ns), int(last_ns), bool(lost))
            for track_id, first_ns, last_ns, lost in state["lives"]
        }

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
