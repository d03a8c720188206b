"""Which pictures are inferred: pure decisions by motion, people and time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.gate.gating import HOLD_S, REFRESH_S, Gate, Verdict
from ingest.gate.motion import Motion
from posebus.config.policies import AUTO, Policies
from posebus.contract.plan import Directive
from posebus.views import View

STILL = Motion(0.0, 0.0)
WALKS = Motion(0.02, 0.01)
EMPTY = Directive(1, 0, 0, occupied=False)
OCCUPIED = replace(EMPTY, occupied=True)
FPS = 10


def inferred(
    gate: Gate, motion: Motion | None, directive: Directive, seconds: float, begin_s: float = 0.0
) -> list[int]:
    """Return the times, in tenths of seconds, at which pictures were inferred."""
    first = round(begin_s * FPS)
    times = range(first, first + round(seconds * FPS))
    return [t for t in times if gate.judge(t * 1_000_000_000 // FPS, motion, directive).reason is None]


def test_without_policies_every_picture_is_inferred_as_workers_are_configured() -> None:
    gate = Gate(Policies())
    assert [gate.judge(t, None, OCCUPIED) for t in range(3)] == [Verdict()] * 3


@pytest.mark.parametrize("policy", ["conservative", "eager"])
def test_an_empty_scene_is_inferred_at_the_refresh_interval(policy: str) -> None:
    gate = Gate(Policies(motion_gate=policy))
    found = inferred(gate, STILL, EMPTY, 61)
    assert 60 / REFRESH_S[policy] <= len(found) <= 60 / REFRESH_S[policy] + 2
    assert gate.judge(61 * 10**9, STILL, EMPTY).reason == "still" or found[-1] == 609


@pytest.mark.parametrize("policy", ["conservative", "eager"])
def test_motion_opens_the_gate_at_once_and_holds_it_open(policy: str) -> None:
    gate = Gate(Policies(motion_gate=policy))
    inferred(gate, STILL, EMPTY, 3)
    every = 2 if policy == "eager" else 1
    assert inferred(gate, WALKS, EMPTY, 1, 3) == list(range(30, 40, every))
    after = inferred(gate, STILL, EMPTY, 4, 4)
    assert after == list(range(40, 40 + round(HOLD_S * FPS), every)), "then it is closed"
    assert [text.split(":")[0] for _, text in gate.log] == ["closed", "opened", "closed"]


def test_conservative_gate_infers_every_picture_while_occupied() -> None:
    gate = Gate(Policies(motion_gate="conservative"))
    assert len(inferred(gate, STILL, OCCUPIED, 10)) == 100


def test_eager_gate_skips_pictures_in_which_little_has_changed() -> None:
    gate = Gate(Policies(motion_gate="eager"))
    found = inferred(gate, WALKS, OCCUPIED, 10)
    assert 30 <= len(found) <= 35
    fast = Motion(0.02, 0.02)
    assert len(inferred(gate, fast, OCCUPIED, 1, 10)) == 10


def test_eager_gate_follows_the_rate_of_a_tracker_that_sets_it() -> None:
    gate = Gate(Policies(motion_gate="eager", infer_fps=AUTO))
    assert len(inferred(gate, WALKS, OCCUPIED, 1)) == 10
    assert len(inferred(gate, WALKS, replace(OCCUPIED, interval_s=0.2), 1, 1)) == 5


def test_the_rate_of_the_directive_limits_inference() -> None:
    gate = Gate(Policies(infer_fps=AUTO))
    assert inferred(gate, None, replace(OCCUPIED, interval_s=0.5), 2) == [0, 5, 10, 15]
    assert gate.judge(1_950_000_000, None, replace(OCCUPIED, interval_s=0.5)).reason == "rate"
    assert len(inferred(gate, None, OCCUPIED, 1, 3)) == 10


def test_motion_in_an_empty_scene_is_inferred_at_any_rate() -> None:
    gate = Gate(Policies(motion_gate="conservative", infer_fps=AUTO))
    slow = replace(EMPTY, interval_s=0.5)
    inferred(gate, STILL, slow, 3)
    assert inferred(gate, WALKS, slow, 0.5, 3) == [30, 31, 32, 33, 34]


def test_probe_is_made_once_by_the_first_picture_that_is_due_and_inferred() -> None:
    gate = Gate(Policies(imgsz=AUTO))
    first = replace(OCCUPIED, view=View(640), probe=(View(320), View(1280)))
    assert gate.judge(0, None, first).views == (View(640), View(320), View(1280))
    assert gate.judge(1, None, first).views == (View(640),)
    again = replace(first, probe=(View(800),), probe_at_ns=5, interval_s=1e-8)
    assert gate.judge(4, None, again).reason == "rate"
    assert gate.judge(12, None, again).views == (View(640), View(800))
    assert gate.judge(23, None, again).views == (View(640),)


def test_after_time_went_back_the_next_picture_is_inferred() -> None:
    gate = Gate(Policies(infer_fps=1.0))
    slow = replace(OCCUPIED, interval_s=1.0)
    assert gate.judge(100 * 10**9, None, slow).reason is None
    assert gate.judge(5 * 10**9, None, slow).reason is None
