"""The AsyncAPI document: valid by AsyncAPI's own schema, of all streams, and of the fields that entries really have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from architecture.tree import ROOT

from posebus.contract.codec import encode_frame, encode_poses
from posebus.contract.public_json import event_fields, event_to_json, track_frame_to_json
from posebus.json_schemas import FOLDER
from posebus.messages import CameraMotion, Delivery, Skipped
from posebus.schema_parts.asyncapi import JSON_ENTRIES
from posebus.schema_parts.stream_entries import ENTRIES, EntryKind
from posebus.topology import KEYS, OF_SHARD, OF_SINK, Topology
from posebus.views import View
from tests.samples import PROBES, PROVENANCE, end, event, frame, pose_frame, track_frame, uninferred

MOTION = CameraMotion(1, (1.0, 0.0, 2.0, 0.0, 1.0, 0.0), 0.5)
STREAMS = [key.kind for key in KEYS if key.holds.startswith("stream")]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
    return found


def test_the_document_is_valid_by_the_schema_that_asyncapi_publishes(
    document: dict[str, Any], node_packages: Path
) -> None:
    import jsonschema

    schemas = node_packages / "@asyncapi" / "specs" / "schemas"
    official = jsonschema.Draft7Validator(
        json.loads((schemas / f"{document['asyncapi']}.json").read_text(encoding="utf-8"))
    )
    official.validate(document)
    for path in (("channels", "tracks", "adress"), ("operations", "sendTracks", "action"), ("info", "version")):
        wrong = json.loads(json.dumps(document))
        wrong[path[0]][path[1]] = 1 if len(path) == 2 else {**wrong[path[0]][path[1]], path[2]: 1}
        assert not official.is_valid(wrong), path


def test_every_reference_of_the_document_has_a_target(document: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [one for inner in value.values() for one in references(inner)]
        return [one for inner in value for one in references(inner)] if isinstance(value, list) else []

    found = references(document)
    assert len(found) > 20
    for reference in found:
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_the_document_has_every_stream_with_its_key(document: dict[str, Any]) -> None:
    assert sorted(document["channels"]) == sorted(STREAMS)
    topology = Topology()
    for kind in STREAMS:
        assert kind in ENTRIES or kind in JSON_ENTRIES, f"describe the entries of {kind} in schema_parts/stream_entries"
        owners = (0,) if kind in OF_SHARD else (0, "hook") if kind in OF_SINK else ("door",)
        key = getattr(topology, kind)(*owners)
        shown = document["channels"][kind]["x-redis-key"]
        assert shown.replace("SHARD", "0").replace("CAMERA", "door").replace("SINK", "hook") == key


def entries() -> dict[str, list[tuple[EntryKind, Mapping[Any, Any]]]]:
    """Entries with all fields and with the fewest, as they are published."""
    full = frame(pixel_aspect=Fraction(8, 3), camera_motion=MOTION, views=(View(640),))
    people = pose_frame(
        appearance=np.zeros((2, 4), np.float32),
        probes=PROBES,
        masks=(np.zeros((3, 2), np.float32),) * 2,
        pixel_aspect=Fraction(8, 3),
        camera_motion=MOTION,
    )
    viewed = replace(PROVENANCE, view=View(640))
    skipped = Skipped("door", 1, 2, 3, Delivery.LIVE, "too old")
    unseen = replace(uninferred(1), pixel_aspect=Fraction(8, 3), camera_motion=MOTION)
    of = {stream: list(kinds.values()) for stream, kinds in ENTRIES.items()}
    frames, poses = of["frames"], of["poses"]
    return {
        "frames": [(frames[0], encode_frame(one, 1)) for one in (full, frame())]
        + [(frames[1], encode_frame(end(3), 1))],
        "poses": [
            (poses[0], encode_poses(people, viewed, 1)),
            (poses[0], encode_poses(pose_frame(keypoints_px=None), PROVENANCE, 1)),
            (poses[1], encode_poses(unseen, None, 1)),
            (poses[1], encode_poses(uninferred(1), None, 1)),
            (poses[2], encode_poses(skipped, None, 1)),
            (poses[3], encode_poses(end(3), None, 1)),
        ],
    }


@pytest.mark.parametrize("stream", ["frames", "poses"])
def test_entries_have_the_described_fields(stream: str) -> None:
    for kind in ENTRIES[stream].values():
        found = [
            {name for name in fields if not name.startswith("probe_")}
            for described, fields in entries()[stream]
            if described is kind
        ]
        assert found, kind.title
        assert set.union(*found) == {name.removesuffix("?") for name in kind.fields}
        assert {name for name in kind.fields if not name.endswith("?")} == set.intersection(*found)


def test_json_entries_have_the_described_fields_and_payloads(document: dict[str, Any]) -> None:
    import jsonschema

    assert tuple(event_fields(event()))[:-1] == JSON_ENTRIES["events"]
    schemas = document["components"]["schemas"]
    jsonschema.Draft7Validator(schemas["events"]).validate(json.loads(json.dumps(event_to_json(event()))))
    tracks = json.loads(json.dumps(track_frame_to_json(track_frame(), PROVENANCE, 1)))
    validator = jsonschema.Draft7Validator(schemas["tracks"])
    validator.validate(tracks)
    tracks["tracks"][0]["keypoints_px"][0][2] = 2
    assert not validator.is_valid(tracks), "confidence is the third number of a keypoint in draft 7, too"


@pytest.mark.parametrize(
    ("stream", "kind", "file", "form"),
    [
        ("dead", "dead", "frame_consumer.py", 'b"{}":'),
        ("evidence", "picture", "evidence/ring.py", '"{}":'),
        ("snapshots", "snapshot", "evidence/snapshots.py", "'{}'"),
        ("undelivered", "letter", "../sinks/delivering/letters.py", '"{}": '),
    ],
)
def test_entries_of_one_kind_have_the_described_fields(stream: str, kind: str, file: str, form: str) -> None:
    written = (ROOT / "posebus" / "bus" / file).read_text(encoding="utf-8")
    for name in ENTRIES[stream][kind].fields:
        assert form.format(name) in written
