"""The events of rules: when each is emitted, and what its `data` holds. Other packages have types of their own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from posebus.contract.events.spec import EventSpec
from posebus.messages import EventType

COMMON: Mapping[str, str] = MappingProxyType(
    {
        "rule": "name of the rule in the configuration",
        "kind": "its kind",
        "track_id": "number of the person's track; null for an event about the whole zone or picture",
        "happening": "one id from the start of what happens to its end",
        "phase": "`start`, `update`, `end`, or `once` for what is over at once",
        "captured_at_ns": "capture time of the frame",
        "confidence": "0 to 1, how certain it is; null where that is not known",
        "box_xyxy_px": "the person's box in this frame (left, top, right, bottom), where the frame has the track",
        "keypoints_px": "the person's keypoints in this frame (x, y, confidence), likewise",
    }
)
_END = {
    "since_ns": "capture time at which it began",
    "duration_s": "seconds since then",
    "reason": "why it ended, unless the rule saw the end: `unseen`, `cut`, `renamed` or `source ended`",
    "renamed_to": "with the reason `renamed`: the number of the same person, for whom it goes on",
}
_SINCE = {"since_ns": "capture time since which it is so"}
_DURATION = {"duration_s": "seconds since then"}
_PEOPLE = {"people": "number of people at this moment"}
_LIMIT = {"limit": "`max_people` or `min_people`: the limit that is meant"}


def _spec(when: str, *fields: Mapping[str, str]) -> EventSpec:
    data = dict(COMMON)
    for one in fields:
        data.update(one)
    return EventSpec(when, data)


RULE_EVENTS: Mapping[EventType, EventSpec] = MappingProxyType(
    {
        EventType.ZONE_ENTERED: _spec("A person entered a zone.", _SINCE),
        EventType.ZONE_DWELLED: _spec(
            "A person has been in a zone for `dwell_s`; once for each stay.", _SINCE, _DURATION
        ),
        EventType.ZONE_LEFT: _spec("A person left a zone, or is not seen any more.", _END),
        EventType.ZONE_OCCUPIED: _spec(
            "More people than `max_people`, or fewer than `min_people`, are in a zone.", _PEOPLE, _LIMIT, _SINCE
        ),
        EventType.ZONE_CLEARED: _spec(
            "The number of people in a zone is as it should be again.", _PEOPLE, _LIMIT, _END, _DURATION
        ),
        EventType.LINE_CROSSED: _spec(
            "A person crossed a line.",
            {
                "direction": "`a_to_b` or `b_to_a`; on the way from the first point to the second, side a is left",
                "counts": "crossings by the rule so far, by direction, this one included",
                "since_ns": "capture time of the first frame in which the person was on the other side",
            },
        ),
        EventType.LOITER_DETECTED: _spec("A person stays about the same place for `after_s`.", _SINCE, _DURATION),
        EventType.LOITER_ENDED: _spec("The person moved away.", _END, _DURATION),
        EventType.CROWD_DETECTED: _spec("`people` or more are present for `for_s`.", _PEOPLE, _SINCE, _DURATION),
        EventType.CROWD_ENDED: _spec("Fewer are present.", _PEOPLE, _END, _DURATION),
        EventType.PROXIMITY_DETECTED: _spec(
            "Two people are close to each other for `for_s`.",
            {
                "other_track_id": "number of the other track",
                "body_heights": "distance of their feet in body heights",
                "distance_m": "the same in metres, where the camera has a ground plane",
                "pairs": "how many pairs are close at this moment; of more than 100 not all have events",
            },
            _SINCE,
            _DURATION,
        ),
        EventType.PROXIMITY_ENDED: _spec(
            "They are apart.", {"other_track_id": "number of the other track"}, _END, _DURATION
        ),
        EventType.ABSENCE_DETECTED: _spec("Fewer than `people` are present for `for_s`.", _PEOPLE, _SINCE, _DURATION),
        EventType.ABSENCE_ENDED: _spec("Enough are present again.", _PEOPLE, _END, _DURATION),
        EventType.FALL_DETECTED: _spec(
            "A person fell to the ground.", _SINCE, {"speed": "of the way down, standing body heights a second"}
        ),
        EventType.FALLEN_DETECTED: _spec(
            "A person who fell is still on the ground after `fallen_s`.", _SINCE, _DURATION
        ),
        EventType.FALL_ENDED: _spec("A person who fell is up again, or is not seen any more.", _END),
        EventType.HANDS_UP_DETECTED: _spec("A person holds both hands above the head for `for_s`.", _SINCE),
        EventType.HANDS_UP_ENDED: _spec("The hands are down.", _END),
        EventType.RUNNING_DETECTED: _spec(
            "A person runs.",
            {"speed_m_s": "metres a second, where the camera has a ground plane", "speed": "body heights a second"},
            _SINCE,
        ),
        EventType.RUNNING_ENDED: _spec("The person walks or stands.", _END),
        EventType.CROUCH_DETECTED: _spec("A person crouches for `for_s`.", _SINCE),
        EventType.CROUCH_ENDED: _spec("The person is up again.", _END),
        EventType.ACTION_DETECTED: _spec(
            "A person does something of the rule's `labels` for `for_s`.", {"action": "which"}, _SINCE
        ),
        EventType.ACTION_ENDED: _spec("The person does something else.", _END),
    }
)
"""Every type that the rules of posebus emit."""
