"""The first stage of the pipeline: a job's picture is decoded and made into the network's inputs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from posebus.bus.frame_consumer import PoseResult
from posebus.errors import BadPicture
from posebus.messages import Delivery
from posebus.telemetry.metrics import Metrics
from workers.images.tiling import ViewPlan
from workers.inference.enhancements import EnhancementLog
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Failed
from workers.inference.hang import HangWatch
from workers.job import Job, dead_letter


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame that is ready for the engine since `ready_at_s` (monotonic).

    `inputs` are the engine's own objects, one for each tile of `plans`, in their order.
    """

    job: Job
    plans: tuple[ViewPlan, ...]
    inputs: Sequence[Any]
    ready_at_s: float


class FramePreparer:
    """Prepares frames, each call in whichever decoding thread makes it."""

    def __init__(
        self, estimator: PoseEstimator, metrics: Metrics, watch: HangWatch, enhancements: EnhancementLog
    ) -> None:
        self._estimator = estimator
        self._metrics = metrics
        self._watch = watch
        self._enhancements = enhancements

    def prepare(self, job: Job) -> PreparedFrame | Failed | PoseResult:
        """Return the prepared frame, or the outcome of a frame whose picture is damaged or whose preparation failed.

        Never raises: an error that was lost in a decoding thread would leave the frame in flight for ever.
        """
        began_s = time.monotonic()
        ticket = self._watch.decoding(job, began_s)
        try:
            plans = self._estimator.view_plans(job.picture.size_px, job.frame.views)
            live = job.frame.delivery is Delivery.LIVE
            inputs = self._estimator.prepare(job.picture, plans, live=live)
        except BadPicture as error:
            return dead_letter(job.entry, str(error))
        except Exception as error:  # noqa: BLE001
            return Failed(job, error, alone=True)
        finally:
            self._watch.decoded(ticket)
        ready_at_s = time.monotonic()
        self._metrics.observe("posebus_stage_seconds", ready_at_s - began_s, stage="decode")
        if job.picture.degradation is not None:
            self._metrics.count("posebus_frames_enhanced_total")
            self._enhancements.record(job.frame.camera, job.frame.captured_at_ns, str(job.picture.degradation))
        return PreparedFrame(job, plans, inputs, ready_at_s)
