"""Build an 8-bit engine: calibrate it, compare it with fp32 on other frames, and install it if it is as good."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from posebus.config.settings import WorkerSettings
from posebus.errors import ConfigError
from posebus.machine.cpus import available_cpus
from posebus.machine.scratch import cache_scratch
from workers.detections import Detections, Head, ImageArray, Limits
from workers.engines.openvino import OpenVINOEngine
from workers.engines.openvino_import import import_openvino
from workers.inference.estimator import PoseEstimator
from workers.int8.average_precision import LEAST_SCORE, Annotated, Detect, average_precision
from workers.int8.engine_report import Report, compare, why_refused
from workers.int8.quantisation import quantised
from workers.weights.export import export_onnx, locked, read_head, storing_in
from workers.weights.int8_cache import BuiltEngine, install
from workers.weights.weights import Weights

HELD_BACK_EVERY = 4
"""Every 4th frame is held back for the report: the engine is never measured on frames it was calibrated with."""

TIMED_FRAMES = 12
TIMED_ROUNDS = 5

OnProgress = Callable[[str, int, int | None], None]
"""Called with the current step, the frames done, and the frames in all (None: unknown)."""


@dataclass(frozen=True, slots=True)
class Material:
    """The frames and annotations with which an engine is calibrated and measured.

    inputs: letterboxed pictures, u8 RGB (H, W, 3), in the recordings' order. sources: the recordings' names and sha256.
    annotated: adds average precision to the report, together with `read`, which returns a picture file as u8 RGB
    (H, W, 3).
    """

    inputs: Sequence[ImageArray]
    sources: Sequence[dict[str, str]]
    annotated: Annotated | None = None
    read: Callable[[Path], ImageArray] | None = None

    @property
    def calibration(self) -> list[ImageArray]:
        """The inputs with which the scales are calibrated."""
        return [image for index, image in enumerate(self.inputs) if index % HELD_BACK_EVERY != HELD_BACK_EVERY - 1]

    @property
    def held_back(self) -> list[ImageArray]:
        """The inputs on which fp32 and the new engine are compared."""
        return list(self.inputs[HELD_BACK_EVERY - 1 :: HELD_BACK_EVERY])


@dataclass(frozen=True, slots=True)
class Allowance:
    """The losses against fp32 that are accepted, as fractions of 1."""

    recall: float
    ap: float


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The report on an engine, and the installed engine or the reasons for refusing it.

    Times are milliseconds per frame with all cores busy: `reference_ms` of fp32, `ms` of the new engine.
    """

    report: Report
    reference_ms: float
    ms: float
    built: BuiltEngine | None
    refusal: Sequence[str]


def build_int8(
    weights: Weights,
    settings: WorkerSettings,
    cache_dir: Path,
    material: Material,
    allowed: Allowance,
    on_progress: OnProgress,
) -> BuildResult:
    """Quantise the network, measure the result, and install it unless it loses more than `allowed`.

    Only the cache folder is written to. Raises ConfigError for too few frames, WeightsError and EngineError as
    `load_engine` does.
    """
    if not material.held_back:
        raise ConfigError(
            f"too few frames to calibrate and to measure an engine ({len(material.inputs)}): give longer recordings"
        )
    network = export_onnx(weights, cache_dir)
    head = read_head(network)
    calibration = material.calibration
    graph = quantised(network, calibration, lambda used: on_progress("calibrating", used, len(calibration)))
    # In the cache's own folder, so that installing is a rename.
    with storing_in(network.parent), cache_scratch(network.parent) as scratch:
        path = scratch / "int8.xml"
        import_openvino().save_model(graph, str(path), compress_to_fp16=False)
        result = _measured(network, path, head, settings, material, on_progress)
        refusal = why_refused(result.report, allowed.recall, allowed.ap)
        if refusal:
            return replace(result, refusal=refusal)
        facts = _facts(weights, settings, material, result)
        with locked(network):
            return replace(result, built=install(path, weights, cache_dir, facts))


def _measured(
    network: Path, graph: Path, head: Head, settings: WorkerSettings, material: Material, on_progress: OnProgress
) -> BuildResult:
    # The report counts people from a higher score on; average precision counts all of them.
    limits = Limits(conf=LEAST_SCORE, iou=settings.iou, max_people=settings.max_people)
    reference, candidate = (
        _MeasuredEngine(OpenVINOEngine(path, head, limits, precision, settings.threads or available_cpus()), settings)
        for path, precision in ((network, "fp32"), (graph, "int8"))
    )
    try:
        frames = material.held_back
        expected = list(_reporting(on_progress, "fp32", reference.people(frames), len(frames)))
        found = list(_reporting(on_progress, "int8", candidate.people(frames), len(frames)))
        report = compare(zip(expected, found, strict=True))
        if material.annotated is not None and material.read is not None:
            report = replace(
                report,
                reference_ap=average_precision(material.annotated, reference.detect(material.read)),
                ap=average_precision(material.annotated, candidate.detect(material.read)),
            )
        reference_ms, candidate_ms = _speeds((reference, candidate), frames[:TIMED_FRAMES])
        return BuildResult(report=report, reference_ms=reference_ms, ms=candidate_ms, built=None, refusal=())
    finally:
        reference.close()
        candidate.close()


def _speeds(engines: Sequence[_MeasuredEngine], frames: Sequence[ImageArray]) -> list[float]:
    """Return milliseconds per frame of each engine: the median of alternating rounds, so that load affects both."""
    rounds_ms: list[list[float]] = [[] for _ in engines]
    for _ in range(TIMED_ROUNDS):
        for engine, times_ms in zip(engines, rounds_ms, strict=True):
            start_s = time.perf_counter()
            done = len(list(engine.people(frames)))
            times_ms.append((time.perf_counter() - start_s) / done * 1000)
    return [statistics.median(times_ms) for times_ms in rounds_ms]


class _MeasuredEngine:
    """An engine that is being measured."""

    def __init__(self, engine: OpenVINOEngine, settings: WorkerSettings) -> None:
        self._engine = engine
        self._estimator = PoseEstimator(engine, settings)

    def people(self, inputs: Sequence[ImageArray]) -> Iterator[Detections]:
        """Yield the people in each letterboxed picture, in its pixels, with the engine kept full."""
        running: deque[Callable[[], list[Detections]]] = deque()
        for image in inputs:
            running.append(self._engine.submit([image]).result)
            if len(running) == self._engine.in_flight:
                yield running.popleft()()[0]
        while running:
            yield running.popleft()()[0]

    def detect(self, read: Callable[[Path], ImageArray]) -> Detect:
        """Return a function that detects people in picture files, with all scores that average precision counts."""
        return lambda path: self._estimator.estimate(read(path))

    def close(self) -> None:
        self._engine.close()


def _reporting(on_progress: OnProgress, what: str, people: Iterator[Detections], frames: int) -> Iterator[Detections]:
    for done, found in enumerate(people, 1):
        on_progress(f"measuring {what}", done, frames)
        yield found


def _facts(weights: Weights, settings: WorkerSettings, material: Material, result: BuildResult) -> dict[str, object]:
    """Return the record of how the engine was made."""
    return {
        "weights": weights.name,
        "weights_sha256": weights.sha256,
        "precision": "int8",
        "imgsz": settings.plain_imgsz,
        "frames": {"calibrated": len(material.calibration), "held_back": len(material.held_back)},
        "sources": list(material.sources),
        "annotations": None if material.annotated is None else material.annotated.path.name,
        "report": result.report.as_dict(),
        "fp32_ms": round(result.reference_ms, 2),
        "int8_ms": round(result.ms, 2),
        "versions": {name: version(name) for name in ("posebus", "nncf", "openvino")},
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
