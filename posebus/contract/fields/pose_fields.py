"""Entries of `poses` that hold the people of a frame: boxes, keypoints, appearance, outlines, and probes.

All arrays are raw little-endian float32. The outlines of all people lie one after the other in `masks`, and
`mask_points` has the number of points of each person's outline.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posebus.arrays import Float32Array
from posebus.contract.fields.lineage import Fields, lineage_fields, read_key
from posebus.contract.wire import (
    RawFields,
    array_bytes,
    aspect_fields,
    motion_fields,
    read_array,
    read_aspect,
    read_bytes,
    read_choice,
    read_int,
    read_motion,
    read_size,
    read_text,
    size_text,
)
from posebus.errors import MalformedMessage
from posebus.messages import CaptureClock, Delivery, PoseFrame, Probe, Provenance
from posebus.views import parse_view, parse_views

MAX_PEOPLE = 1000
MAX_KEYPOINTS = 1000
MAX_APPEARANCE = 4096
MAX_MASK_POINTS = 256
"""Points of one person's outline. The outlines of a thousand people take at most 2 MB."""

_WIRE_COUNT = np.dtype("<u2")


def encode_pose_frame(frame: PoseFrame, provenance: Provenance | None, published_at_ns: int) -> Fields:
    """Fields of a PoseFrame. Raises ValueError without its provenance."""
    if provenance is None:
        raise ValueError("a PoseFrame needs its provenance")
    fields: Fields = {
        **lineage_fields("poses", frame, provenance.delivery),
        "published_at_ns": published_at_ns,
        "frame_published_at_ns": provenance.frame_published_at_ns,
        "inference_ns": provenance.inference_ns,
        "clock": provenance.clock.value,
        "size": size_text(frame.size_px),
        **aspect_fields(frame.pixel_aspect),
        **motion_fields(frame.camera_motion),
        "people": len(frame.scores),
        "boxes": array_bytes(frame.boxes_xyxy_px),
        "scores": array_bytes(frame.scores),
    }
    if frame.keypoints_px is not None:
        fields["keypoints_per_person"] = frame.keypoints_px.shape[1]
        fields["keypoints"] = array_bytes(frame.keypoints_px)
    if frame.appearance is not None:
        fields["appearance_size"] = frame.appearance.shape[1]
        fields["appearance"] = array_bytes(frame.appearance)
    if provenance.view is not None:
        fields["view"] = str(provenance.view)
    if frame.probes:
        fields |= _probe_fields(frame.probes)
    if frame.masks is not None:
        fields["mask_points"] = np.array([len(mask) for mask in frame.masks], dtype=_WIRE_COUNT).tobytes()
        fields["masks"] = array_bytes(np.concatenate((np.zeros((0, 2), np.float32), *frame.masks)))
    return fields


def decode_pose_frame(raw: RawFields) -> tuple[PoseFrame, Provenance]:
    """The PoseFrame in `raw` and its provenance. Raises MalformedMessage."""
    people = read_int(raw, b"people", MAX_PEOPLE)
    keypoints = appearance = None
    if b"keypoints" in raw:
        keypoints = read_array(raw, b"keypoints", (people, read_int(raw, b"keypoints_per_person", MAX_KEYPOINTS), 3))
    if b"appearance" in raw:
        appearance = read_array(raw, b"appearance", (people, read_int(raw, b"appearance_size", MAX_APPEARANCE)))
    frame = PoseFrame(
        **read_key(raw),
        size_px=read_size(raw, b"size"),
        boxes_xyxy_px=read_array(raw, b"boxes", (people, 4)),
        scores=read_array(raw, b"scores", (people,)),
        keypoints_px=keypoints,
        appearance=appearance,
        probes=_read_probes(raw) if b"probes" in raw else (),
        masks=_read_masks(raw, people) if b"masks" in raw else None,
        pixel_aspect=read_aspect(raw),
        camera_motion=read_motion(raw),
    )
    provenance = Provenance(
        clock=read_choice(raw, b"clock", CaptureClock),
        delivery=read_choice(raw, b"delivery", Delivery),
        frame_published_at_ns=read_int(raw, b"frame_published_at_ns"),
        published_at_ns=read_int(raw, b"published_at_ns"),
        inference_ns=read_int(raw, b"inference_ns") if b"inference_ns" in raw else 0,
        view=parse_view(read_text(raw, b"view")) if b"view" in raw else None,
    )
    return frame, provenance


def _probe_fields(probes: Sequence[Probe]) -> Fields:
    fields: Fields = {"probes": ",".join(str(probe.view) for probe in probes)}
    for index, probe in enumerate(probes):
        fields[f"probe_people_{index}"] = len(probe.scores)
        fields[f"probe_boxes_{index}"] = array_bytes(probe.boxes_xyxy_px)
        fields[f"probe_scores_{index}"] = array_bytes(probe.scores)
    return fields


def _read_probes(raw: RawFields) -> tuple[Probe, ...]:
    probes = []
    for index, view in enumerate(parse_views(read_text(raw, b"probes"))):
        people = read_int(raw, b"probe_people_%d" % index, MAX_PEOPLE)
        boxes = read_array(raw, b"probe_boxes_%d" % index, (people, 4))
        scores = read_array(raw, b"probe_scores_%d" % index, (people,))
        probes.append(Probe(view=view, boxes_xyxy_px=boxes, scores=scores))
    return tuple(probes)


def _read_masks(raw: RawFields, people: int) -> tuple[Float32Array, ...]:
    counts = _read_mask_points(raw, people)
    points_px = read_array(raw, b"masks", (sum(counts), 2))
    ends = np.cumsum(counts, dtype=np.intp)
    return tuple(points_px[end - count : end].copy() for end, count in zip(ends, counts, strict=True))


def _read_mask_points(raw: RawFields, people: int) -> list[int]:
    data = read_bytes(raw, b"mask_points")
    expected = _WIRE_COUNT.itemsize * people
    if len(data) != expected:
        raise MalformedMessage(f"field mask_points has {len(data)} bytes, {people} people need {expected}")
    counts: list[int] = np.frombuffer(data, dtype=_WIRE_COUNT).tolist()
    if max(counts, default=0) > MAX_MASK_POINTS:
        raise MalformedMessage(
            f"field mask_points has {max(counts)} points for one person, more than {MAX_MASK_POINTS}"
        )
    return counts
