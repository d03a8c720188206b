"""An explanation as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from posebus.config.policies import AUTO
from posebus.telemetry.explanation import ENHANCE, IMGSZ, INFER_FPS, MOTION_GATE, POLICIES, Decided, Explanation
from posebus.telemetry.reports import view_in_words
from posebus.wording import clock_text, counted

WHEN_WIDTH = 14
STILL_PX_S = 1.0

_OFF = {
    IMGSZ: "off: the workers' size is used. 'imgsz: auto' finds the smallest one that finds the camera's people",
    INFER_FPS: "off: every frame may be inferred. 'infer_fps: auto' infers as many as the tracker needs",
    MOTION_GATE: "off: still frames are inferred, too. 'motion_gate: conservative' skips those without people",
    ENHANCE: "no decision: no worker has had to improve this camera's pictures",
}
"""The effect of a policy that is off, and how to switch it on."""


def lines(shown: Explanation, within_s: float) -> list[str]:
    """Return the headline, then the decisions of each policy in the last `within_s` seconds, the newest first."""
    found = [*_headline(shown), *_motion(shown)]
    others = sorted({one.policy for one in shown.decided} - set(POLICIES))
    if shown.advice is not None:
        found += ["", f"advice: {shown.advice}"]
    for policy in (*POLICIES, *others):
        found += ["", *_policy(shown, policy, within_s)]
    if None in (shown.settings[IMGSZ], shown.settings[INFER_FPS], shown.settings[MOTION_GATE]):
        found += ["", "Set policies in the configuration of the ingest: under the camera, or under 'worker:' for all."]
    return found


def _headline(shown: Explanation) -> Iterator[str]:
    trouble = f" ({shown.trouble})" if shown.trouble not in (None, shown.state) else ""
    yield f"{shown.camera}: {shown.delivery}, {shown.source}, {shown.state}{trouble}"
    if shown.region is not None:
        yield f"region: people are reported in {counted(len(shown.region), 'polygon')} of the picture, and not outside"
    if shown.missing is not None:
        yield f"no plan yet: {shown.missing}"
    elif not any(shown.settings[policy] for policy in (IMGSZ, INFER_FPS, MOTION_GATE)):
        yield f"no policy is on: every frame is inferred{_at(shown.imgsz)}, with the workers' settings"
        return
    yield f"now: inferred{_at(shown.imgsz)}{_rate(shown)}{_occupied(shown)}"
    if shown.probe:
        yield f"next probe: {', '.join(shown.probe)}"
    gate = shown.gate
    if gate is not None:
        total = gate.inferred + gate.still + gate.rate
        state = "" if gate.open is None else f"gate {'open' if gate.open else 'closed'}; "
        yield (
            f"{state}of {counted(total, 'frame')} {gate.inferred}{_share(gate.inferred, total)} were inferred, "
            f"{gate.still} skipped because nothing moved, {gate.rate} because the tracks could be predicted"
        )


def _motion(shown: Explanation) -> Iterator[str]:
    motion = shown.motion
    if motion is None:
        return
    moves = (
        "the camera stands still" if motion.px_per_s < STILL_PX_S else f"the camera moves: {motion.px_per_s:.0f} px/s"
    )
    cuts = motion.shots - 1
    yield moves if cuts < 1 else f"{moves}; its view was cut {counted(cuts, 'time')} since it went online"


def _policy(shown: Explanation, policy: str, within_s: float) -> Iterator[str]:
    decided = shown.of(policy)
    value = shown.settings.get(policy)
    if policy in shown.settings and value is None and not decided:
        yield f"{policy}: {_OFF[policy]}"
        return
    limit = f", up to {shown.imgsz_max} px" if policy == IMGSZ and value == AUTO else ""
    # Decisions under an earlier configuration are no longer in force.
    was_on = policy in shown.settings and value is None
    heading = [policy, f": {value}{limit}" if value is not None else ": off, but was on" if was_on else ""]
    yield "".join(heading)
    recent = [one for one in decided if one.ago_s <= within_s]
    if not recent:
        yield f"  nothing was decided in the last {duration(within_s)}{', but before that:' if decided else ''}"
    for one in recent or decided[:1]:
        when = _when(one, on_time_line=shown.on_time_line)
        yield f"  {when:<{WHEN_WIDTH}}  {one.what}{': ' if one.why else ''}{one.why}"


def _at(imgsz: str | None) -> str:
    return "" if imgsz is None else f" at {view_in_words(imgsz)}"


def _rate(shown: Explanation) -> str:
    if not shown.interval_s:
        return ", every frame"
    return f", every {shown.interval_s:.3g} s ({1 / shown.interval_s:.3g} a second)"


def _occupied(shown: Explanation) -> str:
    if shown.occupied is None or shown.settings[MOTION_GATE] is None:
        return ""
    return ", there may be people" if shown.occupied else ", there are no people: only frames with motion"


def _share(part: int, total: int) -> str:
    return f" ({part / total:.0%})" if total else ""


def _when(one: Decided, *, on_time_line: bool) -> str:
    return clock_text(one.captured_at_ns) if on_time_line else f"{duration(one.ago_s)} ago"


def duration(seconds: float) -> str:
    """Return a duration as text: 12 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
