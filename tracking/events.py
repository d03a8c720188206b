"""`posebus.track.*` events derived from successive TrackFrames. Pure: the same frames give the same events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from posebus.events import Position, track_event
from posebus.messages import EndOfStream, Event, EventType, Track, TrackFrame, TrackState


@dataclass(slots=True)
class _Life:
    """What is remembered of a track that was announced: when it was seen first and last, and whether it is lost."""

    first_seen_ns: int
    last_seen_ns: int
    lost: bool


class TrackEvents:
    """Tells of one camera's identities: each has one `started`, any number of `lost`, and one `ended`.

    started: confirmed for the first time. lost: is no longer confirmed; last_seen_ns tells when it was last seen, which
    is earlier if it was coasted in between. One that comes back has no event of its own (its track in the stream says
    so) and may be lost again. ended: was announced and will not come back, whether it was reported until then or not.
    Tracks that were never confirmed are not mentioned.

    `data` of every event: track_id, first_seen_ns, last_seen_ns, duration_s (from first to last seen), box_xyxy_px (of
    this frame; not with the end of a source) and, of `ended`, reason: `unseen` or `source ended`.

    `time_ns` is the capture time of the frame that an event is about. If the tracker goes on with an identity after
    the end of its source was told, it is announced as started again.
    """

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._lives: dict[int, _Life] = {}

    def update(self, frame: TrackFrame) -> list[Event]:
        """The events of one frame, in the order of its tracks."""
        events = []
        for track in frame.tracks:
            kind = self._follow(frame, track)
            if kind is None:
                continue
            data = _data(track.id, self._lives[track.id])
            data["box_xyxy_px"] = [round(float(side), 1) for side in track.box_xyxy_px]
            if kind is EventType.TRACK_ENDED:
                data["reason"] = "unseen"
                del self._lives[track.id]
            position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
            events.append(track_event(kind, self._camera, track.id, position, data))
        return events

    def source_ended(self, end: EndOfStream) -> list[Event]:
        """The events at the end of the source: every identity that was announced ends, oldest first."""
        events = []
        for track_id in sorted(self._lives):
            data = {**_data(track_id, self._lives[track_id]), "reason": "source ended"}
            position = Position(end.epoch, end.seq, end.captured_at_ns)
            events.append(track_event(EventType.TRACK_ENDED, self._camera, track_id, position, data))
        self._lives.clear()
        return events

    def state_dict(self) -> dict[str, Any]:
        """What is remembered, as JSON scalars and lists."""
        return {
            "lives": [
                [number, life.first_seen_ns, life.last_seen_ns, life.lost] for number, life in self._lives.items()
            ]
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()`. Raises KeyError, TypeError or ValueError for what is no state."""
        self._lives = {
            int(number): _Life(int(first_ns), int(last_ns), bool(lost))
            for number, first_ns, last_ns, lost in state["lives"]
        }

    def _follow(self, frame: TrackFrame, track: Track) -> EventType | None:
        """Remember the track as it is in `frame`; which event that makes, if any."""
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
