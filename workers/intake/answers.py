"""What a worker says of a frame: its people in pixels of the source, or a letter for those who look after the dead."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import simplejpeg

from posebus.bus.frame_consumer import PoseResult
from posebus.config.settings import WorkerSettings
from posebus.errors import BadPicture
from posebus.messages import Frame, PoseFrame, Probe, Provenance
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.metrics import Metrics
from workers.images.tile_merging import people_of_view
from workers.inference.frame_job import Inferred
from workers.outputs.appearance import describe

LETTER_BYTES = 4_000_000
"""A dead letter's picture at most."""
LETTER_SIDE_PX = 1920
LETTER_QUALITY = 95


def people_of(inferred: Inferred, metrics: Metrics, settings: WorkerSettings) -> PoseResult:
    """The people of a frame, with their colours where these are wanted, and whom other views of it found."""
    began_s = time.monotonic()
    frame = inferred.job.frame
    answer = inferred.primary
    people = people_of_view(answer.plan, answer.detections, frame.size_px, settings.max_people)
    body = PoseFrame(
        camera=frame.camera,
        epoch=frame.epoch,
        seq=frame.seq,
        captured_at_ns=frame.captured_at_ns,
        size_px=frame.size_px,
        boxes_xyxy_px=people.boxes_xyxy_px,
        scores=people.scores,
        keypoints_px=people.keypoints_px,
        appearance=describe(inferred.job.picture.rgb(), people, frame.size_px) if settings.appearance else None,
        probes=_probes(inferred, settings.max_people),
        masks=people.masks,
    )
    metrics.observe("posebus_stage_seconds", time.monotonic() - began_s, stage="people")
    provenance = Provenance(
        frame.clock,
        frame.delivery,
        frame.published_at_ns,
        inference_ns=round(inferred.inference_s * 1e9),
        view=answer.plan.view if frame.views else None,
    )
    return PoseResult(inferred.job.entry, body, provenance)


def _probes(inferred: Inferred, max_people: int) -> tuple[Probe, ...]:
    probes = []
    for probe in inferred.probes:
        people = people_of_view(probe.plan, probe.detections, inferred.job.frame.size_px, max_people)
        probes.append(Probe(probe.plan.view, people.boxes_xyxy_px, people.scores))
    return tuple(probes)


def with_picture(result: PoseResult, shared: SharedFrames | None) -> PoseResult:
    """A dead letter with a picture that can be looked at anywhere, and later: pictures in this machine's memory and
    uncompressed ones become JPEGs.

    A JPEG stays as it is and is not decoded here, for that may be what brought workers down.
    """
    frame = result.entry.body
    if not isinstance(frame, Frame):
        large = {name: b"" for name, value in result.entry.raw.items() if len(value) > LETTER_BYTES}
        return replace(result, letter=large)
    letter: dict[bytes, bytes] = {}
    if frame.encoding != "jpeg":
        try:
            data, size_px = _jpeg(frame, shared)
            letter = {b"encoding": b"jpeg", b"data": data, b"image_size": b"%dx%d" % size_px}
        except (BadPicture, ValueError) as error:
            letter = {b"dead_picture": f"it could not be kept: {error}".encode()}
    if len(letter.get(b"data", frame.data)) > LETTER_BYTES:
        letter = {b"data": b"", b"dead_picture": b"left out: %d bytes" % len(frame.data)}
    return replace(result, letter=letter)


def _jpeg(frame: Frame, shared: SharedFrames | None) -> tuple[bytes, tuple[int, int]]:
    """The BGR rows of `frame` as a JPEG, reduced to every nth row and column where it is very large, and its size."""
    width_px, height_px = frame.image_size_px
    data: bytes | memoryview = frame.data
    if frame.encoding == "shared":
        if shared is None:
            raise BadPicture("it is in the memory of its ingest's machine")
        data = shared.get(frame.data.decode(errors="replace"))
    rows = np.frombuffer(data, np.uint8).reshape(height_px, width_px, 3)
    step = -(-max(width_px, height_px) // LETTER_SIDE_PX)
    rows = np.ascontiguousarray(rows[::step, ::step])
    return simplejpeg.encode_jpeg(rows, LETTER_QUALITY, "BGR", "444"), (rows.shape[1], rows.shape[0])
