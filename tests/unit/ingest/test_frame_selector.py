"""Which plan applies to which picture, and that a restored selector decides the same."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.gate.frame_selector import FrameSelector
from ingest.gate.gating import Verdict
from ingest.sources import CapturedImage
from ingest.sources.decoding.pixels import RowsImage
from posebus.config.policies import AUTO, Policies
from posebus.contract.plan import Directive, Plan
from posebus.messages import CaptureClock
from posebus.views import View

TENTH = 100_000_000


class Plans:
    """A writer with a plan; `looks` counts how often the plan was read from the broker."""

    def __init__(self, policies: Policies, plan: Plan | None = None) -> None:
        self.policies = policies
        self.plan = plan
        self.looks = 0

    def read_plan(self) -> Plan | None:
        self.looks += 1
        return self.plan


def picture(tenth: int, seed: int = 0) -> CapturedImage:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 255, (54, 96, 3)).astype(np.uint8)
    rows[10 : 10 + 12, tenth % 80 : tenth % 80 + 8] = 255
    return CapturedImage(RowsImage(rows), tenth * TENTH, CaptureClock.FILE)


def test_the_first_frame_needs_no_plan_and_the_second_waits_for_one() -> None:
    plans = Plans(Policies(imgsz=AUTO))
    selector = FrameSelector(plans, live=False)
    selector.begin_epoch(1)
    first = selector.judge(picture(0), 0)
    assert first is not None
    assert first.views == (View(640), View(416), View(1280))
    selector.accepted(first, 0, 0)
    assert selector.judge(picture(1), 1) is None
    plans.plan = Plan(1, 0, (Directive(1, 0, 0, View(1280)),))
    second = selector.judge(picture(1), 1)
    assert second is not None
    assert second.views == (View(1280),)


def test_a_recording_follows_the_plan_of_a_second_ago_even_if_a_newer_one_exists() -> None:
    early, late = Directive(1, 0, 0, View(640)), Directive(1, 10, 10 * TENTH, View(320))
    plans = Plans(Policies(imgsz=AUTO), Plan(1, 30, (early, late)))
    selector = FrameSelector(plans, live=False)
    selector.begin_epoch(1)
    views = []
    for seq in range(25):
        verdict = selector.judge(picture(seq), seq)
        assert verdict is not None
        views.append(verdict.views[0].imgsz)
        selector.accepted(verdict, seq, seq * TENTH)
    assert views == [640] * 20 + [320] * 5
    assert plans.looks == 1, "a known plan is not read again"


def test_a_live_camera_follows_the_newest_plan_without_reading_it_again() -> None:
    plans = Plans(Policies(imgsz=AUTO))
    selector = FrameSelector(plans, live=True)
    selector.begin_epoch(3)
    first = selector.judge(picture(0), 0)
    assert first is not None
    assert first.views[0] == View(640)
    plans.plan = Plan(3, 0, (Directive(3, 0, 0, View(416)),))
    second = selector.judge(picture(1), 1)
    assert second is not None
    assert second.views == (View(416),)
    assert plans.looks == 0
    assert selector.to_bytes() == b"", "its successor starts a new epoch"


def test_a_restored_selector_decides_the_same() -> None:
    busy, calm = Directive(1, 0, 0, occupied=True), Directive(1, 5, 5 * TENTH, interval_s=0.4, occupied=False)
    plans = Plans(Policies(motion_gate="eager", infer_fps=AUTO), Plan(1, 90, (busy, calm)))
    one = FrameSelector(plans, live=False)
    one.begin_epoch(1)
    for seq in range(40):
        verdict = one.judge(picture(seq), seq)
        assert verdict is not None
        one.accepted(verdict, seq, seq * TENTH)
        other = FrameSelector(plans, live=False)
        other.load(one.to_bytes())
        assert other.to_bytes() == one.to_bytes()
        following = [attention.judge(picture(seq + 1), seq + 1) for attention in (one, other)]
        assert following[0] == following[1]
        if seq % 2:
            one = other  # the successor continues, and has a successor in turn


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (b"x", "Expecting value"),
        (b"[]", "not enough values to unpack"),
        (b"[1,[1],true,[]]\n", "not enough values to unpack"),
        (b"[1,[1,1,1,1],true,[[1,2]]]\nx", "buffer is smaller than requested size"),
        (b"null\n", "this is no state of a frame selector"),
    ],
)
def test_malformed_state_is_refused(state: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        FrameSelector(Plans(Policies(infer_fps=AUTO)), live=False).load(state)


def test_few_frames_of_a_fixed_size_are_also_inferred_at_the_largest() -> None:
    selector = FrameSelector(Plans(Policies(fixed_imgsz=640)), live=True)
    assert not selector.active
    checked = [seq for seq in range(40_000) if selector.with_check(Verdict(), seq).views]
    assert checked == [16, 64, 256, 1024, 4096, 16_384, 32_768]
    recording = FrameSelector(Plans(Policies(fixed_imgsz=640)), live=False)
    assert [seq for seq in range(40) if recording.with_check(Verdict(), seq).views] == [0, 16]
    assert selector.with_check(Verdict(), 16).views == (View(640), View(1280))
    assert selector.with_check(Verdict(reason="still"), 16) == Verdict(reason="still")


def test_frames_of_an_automatic_size_are_not_checked() -> None:
    selector = FrameSelector(Plans(Policies(imgsz=AUTO)), live=True)
    assert selector.with_check(Verdict((View(320),)), 16).views == (View(320),)
