"""How a camera's frames are processed at the moment and why, from its plan and the process reports. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from posebus.bus.registry import CameraRecord
from posebus.config.cameras.region import Region
from posebus.config.policies import AUTO, Policies
from posebus.config.redaction import redact_text
from posebus.contract.plan import Decision, Directive, Plan
from posebus.messages import CaptureClock, Delivery, Provenance, TrackFrame
from posebus.telemetry.process_report import TRACKER, GateReport, MotionReport, TrackingReport
from posebus.telemetry.reports import Reports, capture_of, tracking_of, worker_reports

IMGSZ, INFER_FPS, MOTION_GATE, ENHANCE = "imgsz", "infer_fps", "motion_gate", "enhance"
POLICIES = (IMGSZ, INFER_FPS, MOTION_GATE, ENHANCE)


@dataclass(frozen=True, slots=True)
class ExplanationInputs:
    """What the broker holds about a camera: its record, plan, decisions (oldest first) and newest tracks, and the
    reports of all living processes. `now_ns` is the broker's clock."""

    record: CameraRecord
    plan: Plan | None
    decisions: Sequence[Decision]
    processes: Reports
    newest: tuple[TrackFrame, Provenance] | None
    now_ns: int


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a policy. `ago_s`: before now, or before the newest frame of a recording."""

    policy: str
    what: str
    why: str
    captured_at_ns: int
    ago_s: float


@dataclass(frozen=True, slots=True)
class GateSummary:
    """Frames since the camera's ingest started, inferred and left out by reason; `open` is None if not reported."""

    inferred: int
    still: int
    rate: int
    open: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that `explain` shows. A field is None where nothing was reported.

    clock: the clock of `captured_at_ns`. imgsz: the view of the plan as text, or the size that the workers are set to.
    missing: why there is no plan although a policy is on. settings: the value of each of POLICIES, None for off.
    advice: how to follow people better or detect more of them; None if there is nothing to advise. motion: how the
    camera moves. trouble: why the camera does not deliver, or what is wrong with what it delivers.
    region: polygons in which people are reported, None for the whole picture.
    """

    camera: str
    delivery: str
    source: str
    clock: str
    state: str
    imgsz: str | None
    interval_s: float | None
    occupied: bool | None
    probe: list[str]
    gate: GateSummary | None
    settings: dict[str, str | None]
    imgsz_max: int
    missing: str | None
    advice: str | None = None
    motion: MotionReport | None = None
    trouble: str | None = None
    region: Region | None = None
    decided: list[Decided] = field(default_factory=list)

    @property
    def on_time_line(self) -> bool:
        """Whether times count from the start of a recording."""
        return self.clock == CaptureClock.FILE.value

    def of(self, policy: str) -> list[Decided]:
        """The decisions of this policy, the newest first."""
        return [one for one in self.decided if one.policy == policy]

    def as_dict(self, within_s: float) -> dict[str, Any]:
        """The explanation as plain data, with the decisions of the last `within_s` seconds, the newest first."""
        shown = asdict(self)
        shown["decided"] = [asdict(one) for one in self.decided if one.ago_s <= within_s]
        return shown


def explanation(inputs: ExplanationInputs) -> Explanation:
    """The explanation of the camera of `inputs`."""
    record, policies = inputs.record, inputs.record.policies
    capture = capture_of(inputs.processes, record.camera)
    _, tracked = tracking_of(inputs.processes, record.camera)
    directive = inputs.plan.newest if inputs.plan is not None and policies.any else None
    enhanced = _enhanced(inputs.processes, record.camera)
    return Explanation(
        camera=record.camera,
        delivery=record.delivery.value,
        source=record.source,
        clock=_clock(inputs),
        state=capture.state,
        imgsz=_imgsz(directive, tracked, policies, inputs.processes),
        interval_s=directive.interval_s if directive else tracked.interval_s,
        occupied=directive.occupied if directive else None,
        probe=[str(view) for view in directive.probe] if directive else [],
        gate=_gate_summary(capture.gate),
        settings=_settings(policies, capture.gate, enhanced=bool(enhanced)),
        imgsz_max=policies.imgsz_max,
        missing=_missing(inputs) if policies.any and directive is None else None,
        advice=tracked.advice,
        motion=capture.motion,
        trouble=capture.trouble,
        region=record.region,
        decided=_decided(inputs, [*inputs.decisions, *_gate_log(capture.gate), *enhanced]),
    )


def unknown_camera(camera: str, known: Iterable[str], where: str) -> str:
    """The sentence for a user who asks for a camera that is not among `known`, with similar names."""
    names = sorted(known)
    close = difflib.get_close_matches(camera, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "'posebus top' lists them"
    return f"there is no camera {camera!r} at {where}; {hint if names else 'nothing was ever published there'}"


def _clock(inputs: ExplanationInputs) -> str:
    if inputs.newest is not None:
        return inputs.newest[1].clock.value
    known = CaptureClock.FILE if inputs.record.delivery is Delivery.LOSSLESS else CaptureClock.ARRIVAL
    return known.value


def _imgsz(directive: Directive | None, tracked: TrackingReport, policies: Policies, processes: Reports) -> str | None:
    if directive is not None and directive.view is not None:
        return str(directive.view)
    if tracked.view is not None:
        return tracked.view
    if policies.imgsz is not None:
        return str(policies.first().view)
    workers = [report.worker for report in worker_reports(processes) if report.worker is not None]
    sizes = {str(worker.imgsz) for worker in workers if worker.imgsz is not None}
    return " or ".join(sorted(sizes)) or None


def _gate_summary(gate: GateReport | None) -> GateSummary | None:
    if gate is None:
        return None
    return GateSummary(inferred=gate.inferred, still=gate.still, rate=gate.rate, open=gate.open)


def _settings(policies: Policies, gate: GateReport | None, *, enhanced: bool) -> dict[str, str | None]:
    reported = "off" if gate is None else gate.policy
    motion_gate = policies.motion_gate if policies.motion_gate != "off" else reported
    return {
        IMGSZ: None if policies.imgsz is None else str(policies.imgsz),
        INFER_FPS: None if policies.infer_fps is None else _without_zeros(policies.infer_fps),
        MOTION_GATE: None if motion_gate == "off" else motion_gate,
        ENHANCE: AUTO if enhanced else None,
    }


def _without_zeros(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _missing(inputs: ExplanationInputs) -> str:
    tracker, _ = tracking_of(inputs.processes, inputs.record.camera)
    if tracker:
        return "its tracker has not finished a frame since the policies were switched on"
    if any(report.role == TRACKER for report in inputs.processes.values()):
        return "no tracker has taken the camera yet"
    return "no tracker is running at this broker ('posebus track' starts one)"


def _gate_log(gate: GateReport | None) -> list[Decision]:
    """The changes of the gate, as decisions of its policy."""
    return [_decision(MOTION_GATE, at_ns, text) for at_ns, text in gate.log] if gate is not None else []


def _enhanced(processes: Reports, camera: str) -> list[Decision]:
    """What workers did to the camera's images; the capture time is 0 where it was not reported."""
    newest_ns: dict[str, int] = {}
    for report in worker_reports(processes):
        one = report.worker.enhance.get(camera) if report.worker is not None else None
        if one is not None:
            newest_ns[one.text] = max(one.captured_at_ns, newest_ns.get(one.text, 0))
    return [_decision(ENHANCE, at_ns, text) for text, at_ns in newest_ns.items()]


def _decision(policy: str, captured_at_ns: int, text: str) -> Decision:
    return Decision(epoch=0, seq=0, captured_at_ns=captured_at_ns, policy=policy, what=text, why="")


def _decided(inputs: ExplanationInputs, decisions: Iterable[Decision]) -> list[Decided]:
    now_ns = inputs.now_ns
    if _clock(inputs) == CaptureClock.FILE.value:
        known_ns = [one.captured_at_ns for one in inputs.decisions]
        known_ns += [inputs.newest[0].captured_at_ns] if inputs.newest is not None else []
        known_ns += [one.captured_at_ns for one in inputs.plan.directives] if inputs.plan is not None else []
        now_ns = max(known_ns, default=0)
    found = [
        # Without a time it holds now.
        Decided(one.policy, _line(one.what), _line(one.why), at_ns, max(0.0, round((now_ns - at_ns) / 1e9, 3)))
        for one in decisions
        for at_ns in [one.captured_at_ns or now_ns]
    ]
    return sorted(found, key=lambda one: -one.captured_at_ns)


def _line(text: str) -> str:
    """The text on one line, without credentials and characters that control a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in redact_text(text)).split())
