"""posebus: many cameras in, live identity-stable human pose streams out, over Redis Streams.

A subscriber needs only redis, pydantic and numpy:

    import posebus

    for message in posebus.subscribe(kinds=("tracks",)):
        for track in message.body.tracks:
            print(message.camera, track.id, track.box_xyxy_px)
"""

TYPE_CHECKING = False  # type checkers take it for that of `typing`, whose import takes longer than all of this
if TYPE_CHECKING:
    from posebus.coco import COCO_KEYPOINT_NAMES
    from posebus.contract.masks import mask_of
    from posebus.errors import BrokerRefused, BrokerUnavailable, PoseBusError
    from posebus.messages import (
        CameraMotion,
        CaptureClock,
        Delivery,
        Event,
        EventType,
        PoseFrame,
        Provenance,
        Renaming,
        Track,
        TrackFrame,
        TrackState,
    )
    from posebus.subscribing.evidence import evidence
    from posebus.subscribing.subscriber import Subscription, subscribe
    from posebus.subscribing.subscriber_async import AsyncSubscription, subscribe_async
    from posebus.subscribing.subscription import Message
    from posebus.tables.reading import read_tracks
    from posebus.tables.track_table import TrackTable
del TYPE_CHECKING

__all__ = [
    "COCO_KEYPOINT_NAMES",
    "AsyncSubscription",
    "BrokerRefused",
    "BrokerUnavailable",
    "CameraMotion",
    "CaptureClock",
    "Delivery",
    "Event",
    "EventType",
    "Message",
    "PoseBusError",
    "PoseFrame",
    "Provenance",
    "Renaming",
    "Subscription",
    "Track",
    "TrackFrame",
    "TrackState",
    "TrackTable",
    "evidence",
    "mask_of",
    "read_tracks",
    "subscribe",
    "subscribe_async",
]

_MODULES = {
    "COCO_KEYPOINT_NAMES": "posebus.coco",
    "mask_of": "posebus.contract.masks",
    "BrokerRefused": "posebus.errors",
    "BrokerUnavailable": "posebus.errors",
    "PoseBusError": "posebus.errors",
    "CameraMotion": "posebus.messages",
    "CaptureClock": "posebus.messages",
    "Delivery": "posebus.messages",
    "Event": "posebus.messages",
    "EventType": "posebus.messages",
    "PoseFrame": "posebus.messages",
    "Provenance": "posebus.messages",
    "Renaming": "posebus.messages",
    "Track": "posebus.messages",
    "TrackFrame": "posebus.messages",
    "TrackState": "posebus.messages",
    "evidence": "posebus.subscribing.evidence",
    "Subscription": "posebus.subscribing.subscriber",
    "subscribe": "posebus.subscribing.subscriber",
    "AsyncSubscription": "posebus.subscribing.subscriber_async",
    "subscribe_async": "posebus.subscribing.subscriber_async",
    "Message": "posebus.subscribing.subscription",
    "read_tracks": "posebus.tables.reading",
    "TrackTable": "posebus.tables.track_table",
}
"""Where each name is defined. It is loaded when it is first used, so that `posebus health` need not load numpy."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'posebus' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
