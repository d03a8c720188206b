"""The fields of stream entries that are not one JSON document: pictures, poses, dead letters and snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from posebus.messages import CaptureClock, Delivery
from posebus.schema_parts.values import Schema

BINARY = "binary"


@dataclass(frozen=True, slots=True)
class EntryKind:
    """One kind of entry of a stream, by the value of its field `kind`: its title, and its fields with what each holds.

    Names that end in "?" are those of fields that may be missing, and a description that begins with "binary" is that
    of bytes; all other values are text.
    """

    title: str
    fields: Mapping[str, str]


_CLOCK = f"the clock of captured_at_ns: {', '.join(CaptureClock)}"
_SIZE = "WIDTHxHEIGHT of the source frame in pixels"
_MOTION = {
    "pixel_aspect?": "WIDTH/HEIGHT of a source pixel; missing for square pixels",
    "camera_motion?": "SHOT A B C D E F CERTAINTY: where the camera looks since the shot began",
}
_LINEAGE = {
    "v": "version of the schema",
    "kind": "kind of the entry",
    "camera": "name of the camera",
    "epoch": "one run of the camera's source",
    "seq": "number of the frame within its epoch, from 0",
    "captured_at_ns": "when the frame was captured (Unix time in ns, or ns from the start of a recording)",
    "delivery": f"what happens when the workers cannot keep up: {', '.join(Delivery)}",
    "published_at_ns": "when the entry was published (Unix time in ns)",
}
_FRAME = EntryKind(
    "A picture that waits for a worker",
    {
        **_LINEAGE,
        "clock": _CLOCK,
        "size": _SIZE,
        "image_size": "WIDTHxHEIGHT of the picture in pixels",
        **_MOTION,
        "encoding": "jpeg; raw: rows of BGR; shared: the name of a file with such rows in the memory of this machine",
        "views?": "how to infer it; missing: as the settings of the worker say",
        "data": "binary: the picture",
    },
)
_END = EntryKind("The end of a source", {**_LINEAGE, "reason": "why it ended"})
_POSES = EntryKind(
    "The people that the network detected in a frame",
    {
        **_LINEAGE,
        "frame_published_at_ns": "when ingest published the frame (Unix time in ns)",
        "inference_ns": "duration of the inference in ns",
        "clock": _CLOCK,
        "size": _SIZE,
        **_MOTION,
        "people": "number of people, N",
        "boxes": "binary: (N, 4) little-endian float32, left, top, right, bottom in pixels of the source frame",
        "scores": "binary: (N,) little-endian float32",
        "keypoints_per_person?": "number of keypoints, K",
        "keypoints?": "binary: (N, K, 3) little-endian float32, x, y, confidence",
        "appearance_size?": "length of a descriptor, D",
        "appearance?": "binary: (N, D) little-endian float32, the colours that people wear",
        "view?": "how the picture entered the network",
        "probes?": "further views, each with detections of its own in probe_people_I, probe_boxes_I and probe_scores_I",
        "mask_points?": "binary: (N,) little-endian uint16, the number of points of each outline",
        "masks?": "binary: little-endian float32, the outlines of all people one after the other",
    },
)
_UNINFERRED = EntryKind(
    "A frame that was not inferred, on purpose",
    {**_LINEAGE, "clock": _CLOCK, "size": _SIZE, **_MOTION, "reason": "still, or rate"},
)
_SKIPPED = EntryKind("A frame that was dropped", {**_LINEAGE, "reason": "why"})
_DEAD = EntryKind(
    "A frame that could not be processed: the fields of its entry of frames, and these",
    {
        "dead_reason": "why",
        "dead_camera": "the camera in whose stream it was",
        "dead_at_ns": "when it was given up (Unix time in ns)",
        "dead_by": "the worker that gave it up",
        "dead_attempts": "the attempts at it, as JSON",
    },
)
_EVIDENCE = EntryKind(
    "A reduced picture of a camera",
    {
        "epoch": _LINEAGE["epoch"],
        "seq": _LINEAGE["seq"],
        "captured_at_ns": _LINEAGE["captured_at_ns"],
        "size": _SIZE,
        "image_size": "WIDTHxHEIGHT of the picture in pixels",
        "data": "binary: the picture, a JPEG",
    },
)
_SNAPSHOT = EntryKind("A snapshot of an event that the broker keeps", {"key": "its key", "bytes": "its size"})
_LETTER = EntryKind(
    "An event that a sink has given up",
    {"id": "id of the event", "why": "why", "attempts": "how often it was sent", "data": "the event as JSON"},
)
ENTRIES: Mapping[str, Mapping[str, EntryKind]] = MappingProxyType(
    {
        "frames": {"frame": _FRAME, "end": _END},
        "poses": {"poses": _POSES, "uninferred": _UNINFERRED, "skipped": _SKIPPED, "end": _END},
        "dead": {"dead": _DEAD},
        "evidence": {"picture": _EVIDENCE},
        "snapshots": {"snapshot": _SNAPSHOT},
        "undelivered": {"letter": _LETTER},
    }
)
"""The kinds of entries of each stream; those of `tracks` and `events` are JSON, which has a schema of its own."""


def entry_schema(kind: EntryKind) -> Schema:
    """The schema of the fields of an entry, all of which are text or bytes."""
    properties: Schema = {}
    for name, what in kind.fields.items():
        binary = what.startswith(BINARY)
        properties[name.removesuffix("?")] = {
            "type": "string",
            **({"format": BINARY} if binary else {}),
            "description": what.removeprefix(f"{BINARY}: "),
        }
    required = [name for name in kind.fields if not name.endswith("?")]
    return {"type": "object", "properties": properties, "required": required}
