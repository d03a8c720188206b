"""What is done with a camera's frames at the moment and why, put together from what its processes told. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from posebus.bus.registry import CameraRecord
from posebus.config.policies import AUTO, Policies
from posebus.contract.plan import Decision, Directive, Plan
from posebus.messages import CaptureClock, Delivery, Provenance, TrackFrame
from posebus.telemetry.reports import Report, count, number, of_camera, section

IMGSZ, INFER_FPS, MOTION_GATE, ENHANCE = "imgsz", "infer_fps", "motion_gate", "enhance"
POLICIES = (IMGSZ, INFER_FPS, MOTION_GATE, ENHANCE)


@dataclass(frozen=True, slots=True)
class Look:
    """What stood in the broker: of the camera its record, plan, decisions (oldest first) and newest tracks, and the
    reports of all living processes. `now_ns` is by the broker's clock."""

    record: CameraRecord
    plan: Plan | None
    decisions: Sequence[Decision]
    processes: Mapping[str, Report]
    newest: tuple[TrackFrame, Provenance] | None
    now_ns: int


@dataclass(frozen=True, slots=True)
class Decided:
    """One thing that a policy decided. `ago_s` is before now; of a recording, before its newest frame."""

    policy: str
    what: str
    why: str
    captured_at_ns: int
    ago_s: float


@dataclass(frozen=True, slots=True)
class Gate:
    """Frames since the camera's ingest began, by what came of them; `open` is None where that is not told."""

    inferred: int
    still: int
    rate: int
    open: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that `explain` shows. None is what nobody told.

    clock: of `captured_at_ns`. imgsz: `view` as text, of the plan, or the size that the workers are set to.
    missing: why there is no plan although a policy is on. settings: what each of POLICIES is set to, None for off.
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
    gate: Gate | None
    settings: dict[str, str | None]
    imgsz_max: int
    missing: str | None
    decided: list[Decided] = field(default_factory=list)

    @property
    def on_time_line(self) -> bool:
        """Whether times count from the start of a recording."""
        return self.clock == CaptureClock.FILE.value

    def of(self, policy: str) -> list[Decided]:
        """What this policy decided, the newest first."""
        return [one for one in self.decided if one.policy == policy]

    def as_dict(self, within_s: float) -> dict[str, Any]:
        """As plain data, with the decisions of the last `within_s` seconds, the newest first."""
        shown = asdict(self)
        shown["decided"] = [asdict(one) for one in self.decided if one.ago_s <= within_s]
        return shown


def explanation(look: Look) -> Explanation:
    """What `look` comes to."""
    record, policies = look.record, look.record.policies
    _, source = of_camera(look.processes, "ingest", record.camera)
    _, tracked = of_camera(look.processes, "tracker", record.camera)
    directive = look.plan.newest if look.plan is not None and policies.any else None
    gate = section(source, "gate")
    enhanced = _enhanced(look.processes, record.camera)
    return Explanation(
        camera=record.camera,
        delivery=record.delivery.value,
        source=record.source,
        clock=_clock(look),
        state=str(source.get("state", "no ingest")),
        imgsz=_imgsz(directive, tracked, policies, look.processes),
        interval_s=directive.interval_s if directive else number(tracked.get("interval_s")),
        occupied=directive.occupied if directive else None,
        probe=[str(view) for view in directive.probe] if directive else [],
        gate=_gate(gate),
        settings=_settings(policies, gate, enhanced=bool(enhanced)),
        imgsz_max=policies.imgsz_max,
        missing=_missing(look) if policies.any and directive is None else None,
        decided=_decided(look, [*look.decisions, *_gate_log(gate), *enhanced]),
    )


def unknown(camera: str, known: Iterable[str], where: str) -> str:
    """What to tell somebody who asks for a camera that is not among `known`."""
    names = sorted(known)
    close = difflib.get_close_matches(camera, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "'posebus top' lists them"
    return f"there is no camera {camera!r} at {where}; {hint if names else 'nothing was ever published there'}"


def _clock(look: Look) -> str:
    if look.newest is not None:
        return look.newest[1].clock.value
    known = CaptureClock.FILE if look.record.delivery is Delivery.LOSSLESS else CaptureClock.ARRIVAL
    return known.value


def _imgsz(
    directive: Directive | None, tracked: Report, policies: Policies, processes: Mapping[str, Report]
) -> str | None:
    if directive is not None and directive.view is not None:
        return str(directive.view)
    if isinstance(tracked.get("view"), str):
        return str(tracked["view"])
    if policies.imgsz is not None:
        return str(policies.first().view)
    workers = [report for report in processes.values() if report.get("role") == "worker"]
    sizes = {str(report["imgsz"]) for report in workers if "imgsz" in report}
    return " or ".join(sorted(sizes)) or None


def _gate(gate: Report) -> Gate | None:
    if not gate:
        return None
    is_open = gate.get("open")
    inferred, still, rate = (count(gate.get(name)) for name in ("inferred", "still", "rate"))
    return Gate(inferred, still, rate, is_open if isinstance(is_open, bool) else None)


def _settings(policies: Policies, gate: Report, *, enhanced: bool) -> dict[str, str | None]:
    motion_gate = policies.motion_gate if policies.motion_gate != "off" else gate.get("policy", "off")
    return {
        IMGSZ: None if policies.imgsz is None else str(policies.imgsz),
        INFER_FPS: None if policies.infer_fps is None else _plain(policies.infer_fps),
        MOTION_GATE: None if motion_gate == "off" else str(motion_gate),
        ENHANCE: AUTO if enhanced else None,
    }


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _missing(look: Look) -> str:
    tracker, _ = of_camera(look.processes, "tracker", look.record.camera)
    if tracker:
        return "its tracker has not finished a frame since the policies were switched on"
    if any(report.get("role") == "tracker" for report in look.processes.values()):
        return "no tracker has taken the camera yet"
    return "no tracker is running at this broker ('posebus track' starts one)"


def _gate_log(gate: Report) -> list[Decision]:
    """What ingest told about its gate: pairs of capture time and a text."""
    log = gate.get("log")
    pairs = [row for row in log if isinstance(row, (list, tuple)) and len(row) == 2] if isinstance(log, list) else []
    return [Decision(0, 0, count(at_ns), MOTION_GATE, str(text), "") for at_ns, text in pairs]


def _enhanced(processes: Mapping[str, Report], camera: str) -> list[Decision]:
    """What workers told about the camera's pictures; a time is 0 where they told none."""
    told: dict[str, int] = {}
    for report in processes.values():
        said = section(report, ENHANCE).get(camera) if report.get("role") == "worker" else None
        if isinstance(said, Mapping):
            text, at_ns = said.get("text", said.get("what", "")), count(said.get("captured_at_ns"))
        else:
            text, at_ns = said or "", 0
        if text:
            told[str(text)] = max(at_ns, told.get(str(text), 0))
    return [Decision(0, 0, at_ns, ENHANCE, text, "") for text, at_ns in told.items()]


def _decided(look: Look, decisions: Iterable[Decision]) -> list[Decided]:
    now_ns = look.now_ns
    if _clock(look) == CaptureClock.FILE.value:
        known_ns = [one.captured_at_ns for one in look.decisions]
        known_ns += [look.newest[0].captured_at_ns] if look.newest is not None else []
        known_ns += [one.captured_at_ns for one in look.plan.directives] if look.plan is not None else []
        now_ns = max(known_ns, default=0)
    found = [
        # Without a time it holds now.
        Decided(one.policy, _line(one.what), _line(one.why), at_ns, max(0.0, round((now_ns - at_ns) / 1e9, 3)))
        for one in decisions
        for at_ns in [one.captured_at_ns or now_ns]
    ]
    return sorted(found, key=lambda one: -one.captured_at_ns)


def _line(text: str) -> str:
    """On one line, and nothing that a terminal would obey."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
