"""What the keys in the broker hold of people, and for how long. `posebus.topology` has what bounds each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Personal:
    """What of people a kind of key holds, and for how long; `-` for nothing."""

    holds: str
    kept: str


_UNTIL_REMOVED = "until `posebus forget CAMERA`"
NOTHING = Personal("-", "-")
PERSONAL: Mapping[str, Personal] = MappingProxyType(
    {
        "frames": Personal(
            "pictures, with privacy zones blacked out",
            "until they are inferred, usually less than a second; recordings wait as long as there are no workers",
        ),
        "poses": Personal(
            "boxes, keypoints, outlines, colours of clothes",
            "until they are tracked, usually less than a second; longer while there is no tracker",
        ),
        "tracks": Personal(
            "boxes, keypoints, numbers of tracks",
            f"the newest 5,000 frames or 20 MB: 3 minutes at 25 frames a second; without new ones {_UNTIL_REMOVED}",
        ),
        "events": Personal(
            "what people did, with box and keypoints of that moment",
            f"the newest 19,500 or 40 MB of all cameras of the shard; without new ones {_UNTIL_REMOVED}",
        ),
        "dead": Personal(
            "pictures",
            "the newest 100 or 50 MB of all cameras of the shard; `posebus dead` and `posebus forget` delete them",
        ),
        "attempts": NOTHING,
        "reclaim_lock": NOTHING,
        "cameras": NOTHING,
        "state": Personal(
            "boxes, keypoints and colours of clothes of the people seen last",
            f"those of the last 4 seconds of the camera; when it stops, {_UNTIL_REMOVED}",
        ),
        "plan": NOTHING,
        "lease": NOTHING,
        "fence": NOTHING,
        "epoch": NOTHING,
        "checkpoint": Personal(
            "one small grey picture, by which a camera that moves is followed",
            f"until the next one; when the camera stops, {_UNTIL_REMOVED}",
        ),
        "evidence": Personal(
            "reduced pictures, with privacy zones blacked out; only of cameras with evidence",
            "10 seconds; 15 after the camera has stopped",
        ),
        "snapshot": Personal("a picture of an event, with heads blurred unless `privacy: none`", "24 hours"),
        "snapshots": NOTHING,
        "processes": NOTHING,
        "deliveries": NOTHING,
        "undelivered": Personal(
            "what people did, with box and keypoints of that moment, of events that a sink has given up",
            "the newest 1,000 of each sink and shard; `posebus deliver --replay` deletes those that it delivers",
        ),
        "delivering": NOTHING,
    }
)
"""By kind of key, with the defaults of the settings."""
