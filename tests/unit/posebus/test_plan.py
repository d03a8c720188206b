"""The plan of a camera: the directive in force at each frame, encoding, and refusal of invalid plans."""

from __future__ import annotations

from dataclasses import replace

import pytest

from posebus.config.policies import AUTO, Policies, policies_from_json, policies_of
from posebus.config.settings import CameraSettings, WorkerSettings
from posebus.contract.plan import (
    DIRECTIVES_KEPT,
    Decision,
    Directive,
    Plan,
    decisions_from_text,
    decisions_to_text,
    plan_from_text,
    plan_to_text,
)
from posebus.errors import MalformedMessage
from posebus.views import View, parse_tiles, parse_view, parse_views

SECOND = 1_000_000_000
FIRST = Directive(2, 0, 0, View(640), (View(320), View(1280, 2, 1)), 5, 0.25, occupied=False)


def test_decoded_plan_equals_the_encoded_one() -> None:
    plan = Plan(2, 9, (FIRST, replace(FIRST, seq=7, view=None, probe=(), occupied=True)))
    assert plan_from_text(plan_to_text(plan)) == plan


def test_plan_gives_the_directive_that_was_in_force_at_an_earlier_frame() -> None:
    plan = Plan(2, 0, (FIRST,))
    later = replace(FIRST, seq=5, interval_s=0.5)
    plan = plan.followed_by(later)
    assert plan.at(2, 4) == FIRST
    assert plan.at(2, 5) == later
    assert plan.at(2, 6) is None, "frame 6 has not been tracked"
    assert plan.at(1, 99) is None, "the plan has no directive of an earlier epoch"


def test_equal_directive_advances_the_plan_without_another_row() -> None:
    plan = Plan(2, 0, (FIRST,)).followed_by(replace(FIRST, seq=1, captured_at_ns=SECOND))
    assert (plan.seq, plan.directives) == (1, (FIRST,))


def test_old_directives_are_dropped_and_recent_ones_kept() -> None:
    plan = Plan(1, 0, ())
    for seq in range(300):
        plan = plan.followed_by(Directive(1, seq, seq * SECOND // 100, interval_s=0.1 * (seq % 2)))
    assert len(plan.directives) == 300, "all of them are within three times the lag of a recording"
    for seq in range(300, 700):
        plan = plan.followed_by(Directive(1, seq, seq * SECOND, interval_s=0.1 * (seq % 2)))
    assert len(plan.directives) <= DIRECTIVES_KEPT + 1
    assert plan.at(1, 699) == plan.newest


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[1]", b"[2,1,1,[]]", b'[1,"x",1,[]]', b"[1,1,1,[[1]]]", b'[1,1,1,[[1,1,1,"0","",0,0,true]]]',
     b'[1,1,1,[[1,1,1,null,"",0,-1,true]]]', b"[" * 5000],
)  # fmt: skip
def test_invalid_plan_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedMessage):
        plan_from_text(text)


def test_decoded_decisions_are_the_newest_encoded_ones() -> None:
    decisions = [Decision(1, seq, seq, "imgsz", f"{seq}", "because") for seq in range(150)]
    assert decisions_from_text(decisions_to_text(decisions)) == tuple(decisions[50:])
    with pytest.raises(MalformedMessage):
        decisions_from_text(b"[[1,2]]")


@pytest.mark.parametrize("view", [View(640), View(1280, 2, 1), View(64), View(4096, 8, 8)])
def test_view_is_parsed_from_its_text(view: View) -> None:
    assert parse_view(str(view)) == view
    assert parse_views(f"{view},{view}") == (view, view)


@pytest.mark.parametrize("text", ["", "0", "6400000", "5000", "640/", "640/9x1", "640/0x1", "640x2", "-1", "640/2x2x2"])
def test_text_that_is_no_view_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        parse_view(text)


@pytest.mark.parametrize(("text", "grid"), [("2x1", (2, 1)), ("1x1", (1, 1)), ("8x8", (8, 8))])
def test_tiles_are_columns_and_rows(text: str, grid: tuple[int, int]) -> None:
    assert parse_tiles(text) == grid


@pytest.mark.parametrize("text", ["", "2", "x2", "2x", "0x1", "9x1", "1x9", "2x2x2", "-1x1", "2X2", "10x1", "²x1"])
def test_text_that_is_no_grid_of_tiles_has_none(text: str) -> None:
    assert parse_tiles(text) is None


def test_settings_of_a_camera_override_those_of_the_workers() -> None:
    worker = WorkerSettings(imgsz="auto", infer_fps="auto", motion_gate="eager")
    assert policies_of(CameraSettings(source="a"), worker, live=True) == Policies(AUTO, 1280, AUTO, "eager")
    own = CameraSettings(source="a", imgsz=960, infer_fps=5, motion_gate="off")
    assert policies_of(own, worker, live=True) == Policies(960, 1280, 5.0, "off", fixed_imgsz=960)
    assert not policies_of(CameraSettings(source="a"), WorkerSettings(imgsz=960), live=False).any
    assert policies_from_json(Policies(AUTO, 960, 2.5, "eager").to_json()) == Policies(AUTO, 960, 2.5, "eager")


def test_defaults_choose_the_size_and_skip_still_frames_of_live_cameras_only() -> None:
    camera, worker = CameraSettings(source="a"), WorkerSettings()
    assert policies_of(camera, worker, live=True) == Policies(AUTO, motion_gate="conservative")
    assert policies_of(camera, worker, live=False) == Policies(AUTO)
    assert (worker.enhances(live=True), worker.enhances(live=False)) == (True, False)
    assert WorkerSettings(enhance="auto").enhances(live=False)
    assert not WorkerSettings(enhance="off").enhances(live=True)
    assert not policies_of(camera, WorkerSettings(motion_gate="off", imgsz=640), live=True).any


def test_fixed_size_is_checked_unless_it_is_the_largest() -> None:
    camera = CameraSettings(source="a")
    assert policies_of(camera, WorkerSettings(imgsz=640), live=False).fixed_imgsz == 640
    assert policies_of(camera, WorkerSettings(imgsz=1280), live=False).fixed_imgsz is None
    assert policies_of(camera, WorkerSettings(), live=False).fixed_imgsz is None
    announced = Policies(fixed_imgsz=640).to_json()
    assert policies_from_json(announced) == Policies(fixed_imgsz=640)
    del announced["fixed_imgsz"]
    assert policies_from_json(announced) == Policies()


def test_first_directive_infers_at_the_default_size_and_probes_both_ends() -> None:
    first = Policies(AUTO, 960).first(3)
    assert first.view == View(640)
    assert first.probe == (View(416), View(800))
    assert first.occupied
    assert first.interval_s == 0.0
    assert Policies(infer_fps=AUTO).first().interval_s == pytest.approx(1 / 12)
    assert Policies(infer_fps=4.0).first().interval_s == 0.25
    assert Policies(imgsz=960).first().view == View(960)
    assert Policies().first().view is None
