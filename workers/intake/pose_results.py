"""From the detections of a frame to the result that is published: its people in pixels of the source."""

from __future__ import annotations

import time

from posebus.arrays import Float32Array
from posebus.bus.frame_consumer import PoseResult
from posebus.config.settings import WorkerSettings
from posebus.messages import PoseFrame, Probe, Provenance
from posebus.square_pixels import SQUARE
from posebus.telemetry.metrics import Metrics
from workers.detections import Detections
from workers.images.tile_merging import people_of_view
from workers.inference.frame_job import Inferred
from workers.outputs.appearance import describe


def pose_result(inferred: Inferred, settings: WorkerSettings, metrics: Metrics) -> PoseResult:
    """Return the people of the frame's primary view, with their appearance if set, and those of its other views."""
    began_s = time.monotonic()
    frame = inferred.job.frame
    primary = inferred.primary
    people = people_of_view(primary.plan, primary.detections, frame.size_px, settings.max_people)
    body = PoseFrame(
        camera=frame.camera,
        epoch=frame.epoch,
        seq=frame.seq,
        captured_at_ns=frame.captured_at_ns,
        size_px=frame.size_px,
        boxes_xyxy_px=people.boxes_xyxy_px,
        scores=people.scores,
        keypoints_px=people.keypoints_px,
        appearance=_appearance(inferred, people, settings.max_people) if settings.appearance else None,
        probes=_probes(inferred, settings.max_people),
        masks=people.masks,
        pixel_aspect=frame.pixel_aspect,
        camera_motion=frame.camera_motion,
    )
    metrics.observe("posebus_stage_seconds", time.monotonic() - began_s, stage="people")
    provenance = Provenance(
        clock=frame.clock,
        delivery=frame.delivery,
        frame_published_at_ns=frame.published_at_ns,
        inference_ns=round(inferred.inference_s * 1e9),
        view=primary.plan.view if frame.views else None,
    )
    return PoseResult(inferred.job.entry, body, provenance)


def _appearance(inferred: Inferred, people: Detections, max_people: int) -> Float32Array | None:
    """The colours of `people`, as from `describe`, sampled in square pixels: limbs are as wide as the eye sees them."""
    frame, picture = inferred.job.frame, inferred.job.picture
    if frame.pixel_aspect == SQUARE:
        return describe(picture.rgb(), people, frame.size_px)
    squared = people_of_view(inferred.primary.plan, inferred.primary.detections, frame.image_size_px, max_people)
    return describe(picture.rgb(), squared, frame.image_size_px)


def _probes(inferred: Inferred, max_people: int) -> tuple[Probe, ...]:
    probes = []
    for result in inferred.probes:
        people = people_of_view(result.plan, result.detections, inferred.job.frame.size_px, max_people)
        probes.append(Probe(result.plan.view, people.boxes_xyxy_px, people.scores))
    return tuple(probes)
