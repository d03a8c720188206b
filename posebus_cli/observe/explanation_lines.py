"""An explanation as lines of text for people."""

from __future__ import annotations

from collections.abc import Iterator

from posebus.config.policies import AUTO
from posebus.telemetry.explanation import ENHANCE, IMGSZ, INFER_FPS, MOTION_GATE, POLICIES, Decided, Explanation
from posebus_cli.observe.message_lines import clock_text

WHEN_WIDTH = 14

_OFF = {
    IMGSZ: "off: the size is the workers'. 'imgsz: auto' finds the smallest at which the camera's people are found",
    INFER_FPS: "off: every frame may be inferred. 'infer_fps: auto' looks as often as identities need",
    MOTION_GATE: "off: frames in which nothing moves are inferred, too. 'motion_gate: conservative' leaves them out",
    ENHANCE: "nothing told: no worker has had to change this camera's pictures",
}
"""What it means that a policy is off, and how to switch it on."""


def lines(shown: Explanation, within_s: float) -> list[str]:
    """The headline, then by policy what it decided within `within_s` seconds, the newest first."""
    told = [*_headline(shown)]
    others = sorted({one.policy for one in shown.decided} - set(POLICIES))
    for policy in (*POLICIES, *others):
        told += ["", *_policy(shown, policy, within_s)]
    if None in (shown.settings[IMGSZ], shown.settings[INFER_FPS], shown.settings[MOTION_GATE]):
        told += ["", "Policies stand in the configuration of the ingest: under the camera, or under 'worker:' for all."]
    return told


def _headline(shown: Explanation) -> Iterator[str]:
    yield f"{shown.camera}: {shown.delivery}, {shown.source}, {shown.state}"
    if shown.missing is not None:
        yield f"no plan yet: {shown.missing}"
    elif not any(shown.settings[policy] for policy in (IMGSZ, INFER_FPS, MOTION_GATE)):
        yield f"no policy is on: every frame is inferred{_at(shown.imgsz)}, as the workers are set"
        return
    yield f"now: inferred{_at(shown.imgsz)}{_rate(shown)}{_occupied(shown)}"
    if shown.probe:
        yield f"next probe: {', '.join(shown.probe)}"
    gate = shown.gate
    if gate is not None:
        total = gate.inferred + gate.still + gate.rate
        state = "" if gate.open is None else f"gate {'open' if gate.open else 'closed'}; "
        yield (
            f"{state}of {total} frames {gate.inferred}{_share(gate.inferred, total)} were inferred, "
            f"{gate.still} left out because nothing moved, {gate.rate} because it was clear where everybody is"
        )


def _policy(shown: Explanation, policy: str, within_s: float) -> Iterator[str]:
    decided = shown.of(policy)
    value = shown.settings.get(policy)
    if policy in shown.settings and value is None and not decided:
        yield f"{policy}: {_OFF[policy]}"
        return
    limit = f", up to {shown.imgsz_max} px" if policy == IMGSZ and value == AUTO else ""
    # What an earlier configuration left is no longer in force.
    was_on = policy in shown.settings and value is None
    told = [policy, f": {value}{limit}" if value is not None else ": off, but was on" if was_on else ""]
    yield "".join(told)
    recent = [one for one in decided if one.ago_s <= within_s]
    if not recent:
        yield f"  nothing was decided in the last {duration(within_s)}{', but before that:' if decided else ''}"
    for one in recent or decided[:1]:
        when = _when(one, on_time_line=shown.on_time_line)
        yield f"  {when:<{WHEN_WIDTH}}  {one.what}{': ' if one.why else ''}{one.why}"


def _at(imgsz: str | None) -> str:
    if imgsz is None:
        return ""
    size, _, tiles = imgsz.partition("/")
    return f" at {size} px in {tiles} tiles" if tiles else f" at {size} px"


def _rate(shown: Explanation) -> str:
    if not shown.interval_s:
        return ", every frame"
    return f", every {shown.interval_s:.3g} s ({1 / shown.interval_s:.3g} a second)"


def _occupied(shown: Explanation) -> str:
    if shown.occupied is None or shown.settings[MOTION_GATE] is None:
        return ""
    return ", somebody may be there" if shown.occupied else ", nobody is there: only frames in which something moves"


def _share(part: int, total: int) -> str:
    return f" ({part / total:.0%})" if total else ""


def _when(one: Decided, *, on_time_line: bool) -> str:
    return clock_text(one.captured_at_ns) if on_time_line else f"{duration(one.ago_s)} ago"


def duration(seconds: float) -> str:
    """As people say it: 12 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
