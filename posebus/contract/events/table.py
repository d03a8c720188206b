"""The events that posebus emits, and what each means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from posebus.contract.events.rule_events import RULE_EVENTS
from posebus.contract.events.spec import EventSpec
from posebus.messages import EventType

_LIFE = {
    "track_id": "number of the track",
    "first_seen_ns": "capture time of its first detection",
    "last_seen_ns": "capture time of its last detection, before any predicted frames",
    "duration_s": "seconds from the first to the last detection",
    "box_xyxy_px": "its box in this frame (left, top, right, bottom), where the frame reports it",
}
_RENAMED_TO = "the number of the same person from now on"
TABLE: Mapping[EventType, EventSpec] = MappingProxyType(
    {
        EventType.TRACK_STARTED: EventSpec("A track is confirmed for the first time.", _LIFE),
        EventType.TRACK_LOST: EventSpec(
            "A track is no longer confirmed. It may come back, which the stream of tracks shows, and be lost again.",
            _LIFE,
        ),
        EventType.TRACK_ENDED: EventSpec(
            "A track that was started will not come back.",
            {
                **_LIFE,
                "reason": "`unseen`, `cut` (the picture shows another place), `source ended`, or `renamed`",
                "renamed_to": f"with the reason `renamed`: {_RENAMED_TO}",
            },
        ),
        EventType.TRACK_RENAMED: EventSpec(
            "The number of a track was wrong since an earlier frame.",
            {
                "track_id": "the number that was reported",
                "renamed_to": _RENAMED_TO,
                "since_seq": "the first frame with the wrong number",
                "since_ns": "its capture time",
                "exchanged": "whether `renamed_to` becomes `track_id` at the same time",
            },
        ),
        EventType.TRACK_FINISHED: EventSpec(
            "A track that was started has ended, and this is all of its journey; not for a number that was corrected.",
            {
                **{name: what for name, what in _LIFE.items() if name != "box_xyxy_px"},
                "reason": "`unseen`, `cut` or `source ended`",
                "distance_px": "length of its way in the picture, without steps that are shorter than the person sways",
                "distance_m": "metres walked on the floor, where the camera has a ground plane",
                "path": "at most 32 points `[seconds since first_seen_ns, x, y]` of the feet in the picture",
                "path_m": "the same places on the floor, `[x, y]` in metres or null, where the camera has a ground "
                "plane",
                "best": "the moment that shows the person best: `epoch`, `seq`, `captured_at_ns`, `box_xyxy_px`",
                "zones": "the first zones, at most 8, that it was in: `rule`, `t_s` (from first_seen_ns to the "
                "first entry), `duration_s` (of all stays)",
                "lines": "the last lines, at most 8, that it crossed: `rule`, `t_s`, `direction`",
            },
        ),
        EventType.CAMERA_ONLINE: EventSpec("The first picture of a connection or of a recording came.", {}),
        EventType.CAMERA_OFFLINE: EventSpec(
            "A camera sends no pictures any more, or ingest was stopped.", {"reason": "one sentence"}
        ),
        EventType.CAMERA_GAP: EventSpec(
            "Frames of a live camera were skipped; at most one event a second.",
            {
                "skipped": "number of frames",
                "reasons": "number of frames by reason",
                "first_seq": "the first of them; missing if they were lost before they had a number",
                "last_seq": "the last of them; likewise",
            },
        ),
        EventType.CAMERA_CUT: EventSpec(
            "The picture shows another place from this frame on.",
            {"shot": "number of the shot, from 0 in each epoch", "ended": "number of tracks that ended with it"},
        ),
        EventType.CAMERA_ENDED: EventSpec(
            "A recording was read to its end.", {"frames": "number of its frames", "reason": "why it ended"}
        ),
        EventType.CAMERA_IMGSZ: EventSpec(
            "The size at which the camera is inferred was chosen, or another one would find more people.",
            {
                "imgsz": "longest side of the network's input in pixels",
                "view": "the same with tiles: `1280/2x1`",
                "before": "the view until now; missing with a fixed size",
                "reason": "why it changed; missing with a fixed size",
                "advice": "what would find more people; missing where nothing would",
            },
        ),
        EventType.CAMERA_RATE: EventSpec(
            "So few frames are inferred that people are lost; once in an epoch.",
            {"interval_s": "seconds between two inferred frames", "advice": "what would help"},
        ),
        **RULE_EVENTS,
    }
)
"""Every type that posebus emits. Receivers ignore fields that they do not know: later releases may add some."""
