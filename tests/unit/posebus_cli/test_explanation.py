"""The explanation of a camera, from the reports of its processes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from posebus.bus.registry import CameraRecord
from posebus.config.policies import AUTO, Policies
from posebus.contract.plan import Decision, Directive, Plan
from posebus.explaining.lines import duration, lines
from posebus.messages import Delivery
from posebus.telemetry.explanation import ExplanationInputs, explanation, unknown_camera
from posebus.telemetry.report_json import read_report
from posebus.views import View

NOW_NS = 1_800_000_000_000_000_000
MINUTE = 60_000_000_000
ALL = Policies(AUTO, 1280, AUTO, "eager")
DECISIONS = (
    Decision(3, 10, NOW_NS - 30 * MINUTE, "imgsz", "640", "of 2 people seen in a probe 640 found 2"),
    Decision(3, 900, NOW_NS - 2 * MINUTE, "imgsz", "640 -> 1280", "of 14 people seen in 3 probes 640 found 2"),
    Decision(3, 950, NOW_NS - MINUTE // 6, "infer_fps", "12/s -> 3/s", "it is clear where everybody will be\x1b[2J"),
)
PLAN = Plan(3, 990, (Directive(3, 950, 0, View(1280), (View(1024),), 0, 0.25, occupied=False),))
GATE = {"policy": "eager", "open": False, "inferred": 25, "still": 70, "rate": 5, "log": [[NOW_NS - MINUTE, "closed"]]}


def inputs(policies: Policies = ALL, plan: Plan | None = PLAN, **report: Any) -> ExplanationInputs:
    processes: dict[str, Any] = {
        "i": {"role": "ingest", "cameras": {"door": {"state": "online", **report}}},
        "w": {"role": "worker", "imgsz": AUTO, "largest_imgsz": 1280},
        "t": {"role": "tracker", "cameras": {"door": {"people": 0}}},
    }
    record = CameraRecord("door", Delivery.LIVE, "network", policies)
    reports = {name: read_report(data) for name, data in processes.items()}
    return ExplanationInputs(record, plan, DECISIONS, reports, None, NOW_NS)


def test_text_has_the_plan_in_force_and_each_policys_decisions_with_reasons() -> None:
    text = "\n".join(lines(explanation(inputs(gate=GATE)), 300.0))
    assert "now: inferred at 1280 px, every 0.25 s (4 a second), there are no people: only frames with motion" in text
    assert "next probe: 1024" in text
    assert "gate closed; of 100 frames 25 (25%) were inferred, 70 skipped because nothing moved, 5 because" in text
    assert "2 min ago       640 -> 1280: of 14 people seen in 3 probes 640 found 2" in text
    assert "10 s ago        12/s -> 3/s: it is clear where everybody will be [2J" in text, "no terminal control"
    assert "30 min ago" not in text, "longer ago than asked for"
    assert "60 s ago        closed" in text


def test_text_says_why_a_camera_does_not_deliver_and_that_it_has_a_region() -> None:
    off = inputs(state="off", trouble="off until Mon 07:00 CET")
    region = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)
    found = explanation(replace(off, record=replace(off.record, region=region)))
    assert lines(found, 300.0)[:2] == [
        "door: live, network, off (off until Mon 07:00 CET)",
        "region: people are reported in 1 polygon of the picture, and not outside",
    ]
    assert lines(explanation(inputs(state="paused", trouble="paused")), 300.0)[0] == "door: live, network, paused"


def test_text_of_policies_that_are_off_names_the_setting_that_switches_them_on() -> None:
    text = "\n".join(lines(explanation(replace(inputs(Policies(), None), decisions=())), 300.0))
    assert "no policy is on: every frame is inferred at auto px, with the workers' settings" in text
    for name in ("imgsz: auto", "infer_fps: auto", "motion_gate: conservative"):
        assert name in text


@pytest.mark.parametrize(
    ("motion", "line"),
    [
        ({"px_per_s": 0.2, "shots": 1}, "the camera stands still"),
        ({"px_per_s": 412.6, "shots": 1}, "the camera moves: 413 px/s"),
        ({"px_per_s": 0, "shots": 3}, "the camera stands still; its view was cut 2 times since it went online"),
    ],
)
def test_text_says_how_the_camera_moves(motion: dict[str, float], line: str) -> None:
    assert line in lines(explanation(inputs(motion=motion)), 300.0)
    assert not any("the camera " in one for one in lines(explanation(inputs()), 300.0))


def test_missing_plan_is_explained() -> None:
    alone = inputs(plan=None)
    assert explanation(alone).missing == "its tracker has not finished a frame since the policies were switched on"
    without = ExplanationInputs(alone.record, None, (), {"w": alone.processes["w"]}, None, NOW_NS)
    assert "no tracker is running" in str(explanation(without).missing)


def test_newest_older_decision_is_shown_without_recent_ones() -> None:
    text = "\n".join(lines(explanation(inputs()), 1.0))
    assert "nothing was decided in the last 1 s, but before that:" in text
    assert "640 -> 1280" in text


def test_json_has_times_as_numbers() -> None:
    explained = explanation(inputs(gate=GATE)).as_dict(300.0)
    assert [one["policy"] for one in explained["decided"]] == ["infer_fps", "motion_gate", "imgsz"]
    assert explained["decided"][0]["ago_s"] == 10.0
    assert (explained["imgsz"], explained["interval_s"], explained["occupied"]) == ("1280", 0.25, False)


def test_unknown_camera_is_answered_with_similar_names() -> None:
    assert unknown_camera("dor", ["yard", "door"], "here") == "there is no camera 'dor' at here; did you mean 'door'?"
    assert unknown_camera("x", ["yard"], "here").endswith("'posebus top' lists them")
    assert unknown_camera("x", [], "here").endswith("nothing was ever published there")


def test_durations_have_a_suitable_unit() -> None:
    assert [duration(seconds) for seconds in (3, 89, 150, 9000)] == ["3 s", "89 s", "2 min", "2.5 h"]
