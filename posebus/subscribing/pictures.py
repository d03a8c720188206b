"""One frame of a camera together: its picture and its tracks, from the streams of a deployment that runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from posebus.bus.redis.connection import Broker
from posebus.messages import Frame, Provenance, TrackFrame
from posebus.subscribing.live_frames import LiveFrames

BLOCK_S = 0.5


@dataclass(frozen=True, slots=True)
class PictureWithTracks:
    """A frame as it was sent to the workers, and the tracks that were published for the same (camera, epoch, seq)."""

    frame: Frame
    tracks: TrackFrame
    provenance: Provenance


def next_picture(broker: Broker, camera: str, limit_s: float) -> PictureWithTracks | None:
    """Return the next frame of `camera` with its tracks; None if there is none within `limit_s`.

    Frames that are not inferred have no picture; of a still scene one is inferred every few seconds. Raises
    BrokerUnavailable and BrokerRefused.
    """
    frames = LiveFrames(broker)
    frames.follow({camera: True})
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        for found in frames.read(BLOCK_S):
            if found.picture is not None:
                return PictureWithTracks(found.picture, found.tracks, found.provenance)
    return None
