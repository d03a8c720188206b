"""The common part of both kinds of subscription: which streams to read from where, and the decoding of entries."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from posebus.bus.group_reader import ensure_group
from posebus.bus.redis.connection import Client
from posebus.config.settings import check_camera_name
from posebus.contract.codec import decode_poses
from posebus.contract.public_json import (
    event_from_json,
    event_to_json,
    parse,
    track_frame_from_json,
    track_frame_to_json,
)
from posebus.errors import MalformedMessage
from posebus.messages import Event, PoseFrame, Provenance, TrackFrame
from posebus.subscribing.positions import BEGINNING, order, read_after
from posebus.topology import Topology

FINAL_TRACKS = "final_tracks"
KINDS = ("tracks", FINAL_TRACKS, "events", "poses")


@dataclass(frozen=True, slots=True)
class Message:
    """One message for a subscriber.

    kind: `tracks`, `final_tracks`, `events` or `poses`; body: a TrackFrame for the first two, an Event, or a PoseFrame;
    provenance: its times and conditions, None for events; stream, id: Redis key and entry ID of the message.
    """

    kind: str
    camera: str
    body: TrackFrame | Event | PoseFrame
    provenance: Provenance | None
    stream: str
    id: str


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One stream entry that has not been decoded yet."""

    kind: str
    stream: str
    entry_id: str
    fields: dict[bytes, bytes]


class StreamSelection:
    """The streams of one subscription, and the positions to read them from."""

    def __init__(
        self,
        cameras: Sequence[str] | None,
        kinds: Sequence[str],
        after: str | datetime,
        topology: Topology,
        group: str | None,
    ) -> None:
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown or not kinds:
            raise ValueError(f"unknown kind {', '.join(unknown) or '(none given)'}: choose from {', '.join(KINDS)}")
        self.holds_back = FINAL_TRACKS in kinds
        if self.holds_back and "tracks" in kinds:
            raise ValueError("kinds must be tracks or final_tracks, not both: subscribe twice for both")
        if self.holds_back and group is not None:
            raise ValueError(
                "final_tracks needs every frame of a camera, and the consumers of a group share them: leave out group"
            )
        if isinstance(cameras, str):
            raise ValueError(f"cameras must be a list of names, not the text {cameras!r}")
        self.group = group
        self._cameras = None if cameras is None else frozenset(check_camera_name(name) for name in cameras)
        self._kinds = tuple(kind for kind in KINDS if kind in kinds)
        self._topology = topology
        self._beginning = read_after(after, time.time() * 1000)
        self._positions: dict[str, str] = dict(self._beginning.positions)
        self._read_to: dict[str, str] = {}
        """Where streams have been read further than their messages were yielded."""
        self._kind_of: dict[str, str] = {}

    @property
    def cursor(self) -> str:
        """The positions of all streams as text, which `after` accepts."""
        return json.dumps(self._positions, separators=(",", ":"), sort_keys=True)

    def wants(self, message: Message) -> bool:
        """Whether the message is of a selected camera and kind: events of all cameras of a shard share one stream, and
        they are read for `final_tracks`, too."""
        return message.kind in self._kinds and (self._cameras is None or message.camera in self._cameras)

    def discover(self, client: Client, *, first: bool) -> None:
        """Search for streams to read. Those found after the `first` search are read from their beginning."""
        for stream, kind in self._streams(client):
            if stream in self._kind_of:
                continue
            if self.group is not None:
                ensure_group(client, stream, self.group, self._first_position(client, stream, first=first))
            elif stream not in self._positions:
                self._positions[stream] = self._first_position(client, stream, first=first)
            self._kind_of[stream] = kind

    def _first_position(self, client: Client, stream: str, *, first: bool) -> str:
        before_time = self._beginning.before_time
        if not first or not (self._beginning.now or before_time):
            return BEGINNING
        # A position beyond the newest entry would look like that of a stream that has begun anew.
        newest = _last_id(client, stream)
        return newest if before_time is None else min(newest, before_time, key=order)

    def discover_again(self, client: Client) -> None:
        """The groups are gone: the broker lost its memory, or a camera was removed. What is there is all new."""
        self._kind_of.clear()
        self.discover(client, first=False)

    def rewind_restarted(self, client: Client) -> None:
        """Read those streams from their beginning whose newest entry precedes our position.

        The broker lost its memory, or a backup was restored, and its clock gives lower entry IDs than before.
        """
        for stream in [] if self.group is not None else self._kind_of:
            newest = _last_id(client, stream)
            if newest != "0-0" and order(newest) < order(self._read_to.get(stream, self._positions[stream])):
                self._positions[stream] = "0-0"
                self._read_to.pop(stream, None)

    def read_from(self) -> dict[str, str]:
        """Position to read each stream from, in the form that XREAD or XREADGROUP take."""
        if self.group is not None:
            return dict.fromkeys(self._kind_of, ">")
        return {stream: self._read_to.get(stream, self._positions[stream]) for stream in self._kind_of}

    def entries(self, reply: Any) -> list[StreamEntry]:
        """The entries of a reply of XREAD or XREADGROUP."""
        found = []
        for key, items in reply or []:
            stream = key.decode()
            kind = self._kind_of[stream]
            found += [StreamEntry(kind, stream, entry_id.decode(), fields or {}) for entry_id, fields in items]
        return found

    def passed(self, stream: str, entry_id: str) -> None:
        """Move the cursor behind an entry."""
        if self.group is None:
            self._positions[stream] = entry_id

    def fetched(self, entry: StreamEntry) -> None:
        """Read on behind `entry`, and leave the cursor where it is until `passed`."""
        self._read_to[entry.stream] = entry.entry_id

    def _streams(self, client: Client) -> Iterable[tuple[str, str]]:
        topology = self._topology
        cameras = self._cameras
        if cameras is None:
            shards = range(topology.shards)
            found: Any = [name for shard in shards for name in client.hkeys(topology.cameras(shard))]
            cameras = frozenset(name.decode(errors="replace") for name in found)
        key_of = {"tracks": topology.tracks, FINAL_TRACKS: topology.tracks, "poses": topology.poses}
        # Only an event says that a source ended, so that its last frames are final.
        for kind in (*self._kinds, "events") if self.holds_back else self._kinds:
            if kind == "events":
                wanted = range(topology.shards) if self._cameras is None else {topology.shard(c) for c in cameras}
                yield from ((topology.events(shard), kind) for shard in wanted)
            else:
                yield from ((key_of[kind](camera), kind) for camera in sorted(cameras))


def decode_entry(entry: StreamEntry) -> Message | None:
    """The message in `entry`; None for marks between workers and trackers, and for entries that cannot be decoded."""
    try:
        if entry.kind in ("tracks", FINAL_TRACKS):
            frame, provenance = track_frame_from_json(parse(entry.fields[b"data"]))
            return _message(entry, frame.camera, frame, provenance)
        if entry.kind == "events":
            event = event_from_json(parse(entry.fields[b"data"]))
            return _message(entry, event.camera, event, None)
        body, provenance = decode_poses(entry.fields)
    except (MalformedMessage, KeyError):
        return None
    if not isinstance(body, PoseFrame):
        return None
    return _message(entry, body.camera, body, provenance)


def message_to_json(message: Message) -> dict[str, Any] | None:
    """The message in its public JSON form; None for poses, which have none."""
    body, provenance = message.body, message.provenance
    if isinstance(body, Event):
        return event_to_json(body)
    if isinstance(body, TrackFrame) and provenance is not None:
        return track_frame_to_json(body, provenance, provenance.published_at_ns)
    return None


def _message(
    entry: StreamEntry, camera: str, body: TrackFrame | Event | PoseFrame, provenance: Provenance | None
) -> Message:
    return Message(
        kind=entry.kind,
        camera=camera,
        body=body,
        provenance=provenance,
        stream=entry.stream,
        id=entry.entry_id,
    )


def _last_id(client: Client, stream: str) -> str:
    newest: Any = client.xrevrange(stream, count=1)
    return newest[0][0].decode() if newest else "0-0"
