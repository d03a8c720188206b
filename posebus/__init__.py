"""posebus: many cameras in, live identity-stable human pose streams out, over Redis Streams.

A subscriber needs only redis, pydantic and numpy:

    import posebus

    for message in posebus.subscribe(kinds=("tracks",)):
        for track in message.body.tracks:
            print(message.camera, track.id, track.box_xyxy_px)
"""

from posebus.coco import COCO_KEYPOINT_NAMES
from posebus.contract.masks import mask_of
from posebus.errors import BrokerRefused, BrokerUnavailable, PoseBusError
from posebus.messages import (
    CaptureClock,
    Delivery,
    Event,
    EventType,
    PoseFrame,
    Provenance,
    Track,
    TrackFrame,
    TrackState,
)
from posebus.subscribing.subscriber import Subscription, subscribe
from posebus.subscribing.subscriber_async import AsyncSubscription, subscribe_async
from posebus.subscribing.subscription import Message

__all__ = [
    "COCO_KEYPOINT_NAMES",
    "AsyncSubscription",
    "BrokerRefused",
    "BrokerUnavailable",
    "CaptureClock",
    "Delivery",
    "Event",
    "EventType",
    "Message",
    "PoseBusError",
    "PoseFrame",
    "Provenance",
    "Subscription",
    "Track",
    "TrackFrame",
    "TrackState",
    "mask_of",
    "subscribe",
    "subscribe_async",
]
