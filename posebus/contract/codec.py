"""Messages to stream fields and back. Everything that is read is checked; nothing is ever unpickled.

Fields are short text that `redis-cli XRANGE` shows readably; arrays are raw little-endian float32 bytes; `tracks` and
`events` carry one JSON field `data`. A decode function raises MalformedMessage for whatever does not follow this.
"""

from __future__ import annotations

from typing import TypeVar

from posebus.contract.codec_masks import divided, joined, mask_points, mask_points_bytes
from posebus.contract.wire import (
    RawFields,
    array_bytes,
    read_array,
    read_bytes,
    read_choice,
    read_int,
    read_size,
    read_text,
)
from posebus.errors import MalformedMessage
from posebus.messages import (
    SCHEMA_VERSION,
    CaptureClock,
    Delivery,
    EndOfStream,
    Frame,
    PoseFrame,
    Probe,
    Provenance,
    Skipped,
    Uninferred,
)
from posebus.views import parse_view, parse_views

Fields = dict[bytes | str, bytes | str | int | float]
Mark = TypeVar("Mark", EndOfStream, Skipped)
PoseBody = PoseFrame | Uninferred | Skipped | EndOfStream
"""What an entry of `poses` may hold."""

MAX_PEOPLE = 1000
MAX_KEYPOINTS = 1000
MAX_APPEARANCE = 4096
MAX_FIELDS = 64
MAX_REASON_LENGTH = 200
"""In letters, of which one takes up to four bytes."""
ENCODINGS = ("jpeg", "raw", "shared")


def encode_frame(frame: Frame | EndOfStream, published_at_ns: int) -> Fields:
    """Fields of one entry of `frames`."""
    if isinstance(frame, EndOfStream):
        return _encode_mark(frame, "end", published_at_ns)
    return {
        **_lineage("frame", frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.delivery),
        "published_at_ns": published_at_ns,
        "clock": frame.clock.value,
        "size": f"{frame.size_px[0]}x{frame.size_px[1]}",
        "image_size": f"{frame.image_size_px[0]}x{frame.image_size_px[1]}",
        "encoding": frame.encoding,
        **({"views": ",".join(map(str, frame.views))} if frame.views else {}),
        "data": frame.data,
    }


def decode_frame(raw: RawFields) -> Frame | EndOfStream:
    """The entry of `frames` that `raw` holds; raises MalformedMessage."""
    kind = _kind(raw, ("frame", "end"))
    if kind == "end":
        return _decode_mark(raw, EndOfStream)
    encoding = read_text(raw, b"encoding")
    if encoding not in ENCODINGS:
        raise MalformedMessage(f"field encoding is {encoding!r}, expected one of {', '.join(ENCODINGS)}")
    return Frame(
        camera=read_text(raw, b"camera"),
        epoch=read_int(raw, b"epoch"),
        seq=read_int(raw, b"seq"),
        captured_at_ns=read_int(raw, b"captured_at_ns"),
        clock=read_choice(raw, b"clock", CaptureClock),
        delivery=read_choice(raw, b"delivery", Delivery),
        size_px=read_size(raw, b"size"),
        image_size_px=read_size(raw, b"image_size"),
        encoding=encoding,
        data=read_bytes(raw, b"data"),
        published_at_ns=read_int(raw, b"published_at_ns"),
        views=parse_views(read_text(raw, b"views")) if b"views" in raw else (),
    )


def skipped_frame(raw: RawFields, reason: str) -> Skipped | None:
    """A mark that the frame in `raw` was given up; None if `raw` does not even say which frame it was."""
    try:
        return Skipped(
            camera=read_text(raw, b"camera"),
            epoch=read_int(raw, b"epoch"),
            seq=read_int(raw, b"seq"),
            captured_at_ns=read_int(raw, b"captured_at_ns"),
            delivery=read_choice(raw, b"delivery", Delivery),
            reason=reason,
        )
    except MalformedMessage:
        return None


def encode_poses(body: PoseBody, provenance: Provenance | None, published_at_ns: int) -> Fields:
    """Fields of one entry of `poses`; `provenance` goes with a PoseFrame only."""
    if isinstance(body, EndOfStream):
        return _encode_mark(body, "end", published_at_ns)
    if isinstance(body, Skipped):
        return _encode_mark(body, "skipped", published_at_ns)
    if isinstance(body, Uninferred):
        return {
            **_lineage("uninferred", body.camera, body.epoch, body.seq, body.captured_at_ns, body.delivery),
            "published_at_ns": published_at_ns,
            "clock": body.clock.value,
            "size": f"{body.size_px[0]}x{body.size_px[1]}",
            "reason": body.reason[:MAX_REASON_LENGTH],
        }
    if provenance is None:
        raise ValueError("a PoseFrame needs its provenance")
    fields: Fields = {
        **_lineage("poses", body.camera, body.epoch, body.seq, body.captured_at_ns, provenance.delivery),
        "published_at_ns": published_at_ns,
        "frame_published_at_ns": provenance.frame_published_at_ns,
        "inference_ns": provenance.inference_ns,
        "clock": provenance.clock.value,
        "size": f"{body.size_px[0]}x{body.size_px[1]}",
        "people": len(body.scores),
        "boxes": array_bytes(body.boxes_xyxy_px),
        "scores": array_bytes(body.scores),
    }
    if body.keypoints_px is not None:
        fields["keypoints_per_person"] = body.keypoints_px.shape[1]
        fields["keypoints"] = array_bytes(body.keypoints_px)
    if body.appearance is not None:
        fields["appearance_size"] = body.appearance.shape[1]
        fields["appearance"] = array_bytes(body.appearance)
    if provenance.view is not None:
        fields["view"] = str(provenance.view)
    if body.probes:
        fields["probes"] = ",".join(str(probe.view) for probe in body.probes)
        for place, probe in enumerate(body.probes):
            fields[f"probe_people_{place}"] = len(probe.scores)
            fields[f"probe_boxes_{place}"] = array_bytes(probe.boxes_xyxy_px)
            fields[f"probe_scores_{place}"] = array_bytes(probe.scores)
    if body.masks is not None:
        fields["mask_points"] = mask_points_bytes(body.masks)
        fields["masks"] = array_bytes(joined(body.masks))
    return fields


def decode_poses(raw: RawFields) -> tuple[PoseBody, Provenance]:
    """The entry of `poses` that `raw` holds and how it came to be; raises MalformedMessage."""
    kind = _kind(raw, ("poses", "uninferred", "skipped", "end"))
    published_at_ns = read_int(raw, b"published_at_ns")
    delivery = read_choice(raw, b"delivery", Delivery)
    if kind == "uninferred":
        unseen = _decode_uninferred(raw)
        return unseen, Provenance(unseen.clock, delivery, published_at_ns, published_at_ns)
    if kind != "poses":
        mark = _decode_mark(raw, EndOfStream) if kind == "end" else _decode_mark(raw, Skipped)
        return mark, Provenance(CaptureClock.ARRIVAL, delivery, published_at_ns, published_at_ns)
    people = read_int(raw, b"people", MAX_PEOPLE)
    keypoints = appearance = masks = None
    if b"keypoints" in raw:
        keypoints = read_array(raw, b"keypoints", (people, read_int(raw, b"keypoints_per_person", MAX_KEYPOINTS), 3))
    if b"appearance" in raw:
        appearance = read_array(raw, b"appearance", (people, read_int(raw, b"appearance_size", MAX_APPEARANCE)))
    if b"masks" in raw:
        points = mask_points(read_bytes(raw, b"mask_points"), people)
        masks = divided(read_array(raw, b"masks", (sum(points), 2)), points)
    body = PoseFrame(
        camera=read_text(raw, b"camera"),
        epoch=read_int(raw, b"epoch"),
        seq=read_int(raw, b"seq"),
        captured_at_ns=read_int(raw, b"captured_at_ns"),
        size_px=read_size(raw, b"size"),
        boxes_xyxy_px=read_array(raw, b"boxes", (people, 4)),
        scores=read_array(raw, b"scores", (people,)),
        keypoints_px=keypoints,
        appearance=appearance,
        probes=_decode_probes(raw),
        masks=masks,
    )
    clock = read_choice(raw, b"clock", CaptureClock)
    inference_ns = read_int(raw, b"inference_ns") if b"inference_ns" in raw else 0
    view = parse_view(read_text(raw, b"view")) if b"view" in raw else None
    frame_published_at_ns = read_int(raw, b"frame_published_at_ns")
    return body, Provenance(clock, delivery, frame_published_at_ns, published_at_ns, inference_ns, view)


def _decode_uninferred(raw: RawFields) -> Uninferred:
    return Uninferred(
        camera=read_text(raw, b"camera"),
        epoch=read_int(raw, b"epoch"),
        seq=read_int(raw, b"seq"),
        captured_at_ns=read_int(raw, b"captured_at_ns"),
        clock=read_choice(raw, b"clock", CaptureClock),
        delivery=read_choice(raw, b"delivery", Delivery),
        size_px=read_size(raw, b"size"),
        reason=read_text(raw, b"reason"),
        published_at_ns=read_int(raw, b"published_at_ns"),
    )


def _decode_probes(raw: RawFields) -> tuple[Probe, ...]:
    probes = []
    for place, view in enumerate(parse_views(read_text(raw, b"probes")) if b"probes" in raw else ()):
        people = read_int(raw, b"probe_people_%d" % place, MAX_PEOPLE)
        boxes = read_array(raw, b"probe_boxes_%d" % place, (people, 4))
        probes.append(Probe(view, boxes, read_array(raw, b"probe_scores_%d" % place, (people,))))
    return tuple(probes)


def _lineage(kind: str, camera: str, epoch: int, seq: int, captured_at_ns: int, delivery: Delivery) -> Fields:
    return {
        "v": SCHEMA_VERSION,
        "kind": kind,
        "camera": camera,
        "epoch": epoch,
        "seq": seq,
        "captured_at_ns": captured_at_ns,
        "delivery": delivery.value,
    }


def _encode_mark(mark: EndOfStream | Skipped, kind: str, published_at_ns: int) -> Fields:
    fields = _lineage(kind, mark.camera, mark.epoch, mark.seq, mark.captured_at_ns, mark.delivery)
    return {**fields, "reason": mark.reason[:MAX_REASON_LENGTH], "published_at_ns": published_at_ns}


def _decode_mark(raw: RawFields, mark: type[Mark]) -> Mark:
    return mark(
        camera=read_text(raw, b"camera"),
        epoch=read_int(raw, b"epoch"),
        seq=read_int(raw, b"seq"),
        captured_at_ns=read_int(raw, b"captured_at_ns"),
        delivery=read_choice(raw, b"delivery", Delivery),
        reason=read_text(raw, b"reason"),
        published_at_ns=read_int(raw, b"published_at_ns"),
    )


def _kind(raw: RawFields, allowed: tuple[str, ...]) -> str:
    if len(raw) > MAX_FIELDS:
        raise MalformedMessage(f"it has {len(raw)} fields, more than {MAX_FIELDS}")
    version = read_int(raw, b"v")
    if version != SCHEMA_VERSION:
        raise MalformedMessage(f"schema version {version} is not known here (this is {SCHEMA_VERSION}): update posebus")
    kind = read_text(raw, b"kind")
    if kind not in allowed:
        raise MalformedMessage(f"field kind is {kind!r}, expected one of {', '.join(allowed)}")
    return kind
