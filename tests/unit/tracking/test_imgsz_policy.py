"""`imgsz: auto` on a simulated camera whose people are found as the recall model expects: first frame to hours."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from posebus.config.policies import AUTO, Policies
from posebus.messages import PoseFrame, Probe
from posebus.views import View
from tracking.policies import probing
from tracking.policies.imgsz import UNANSWERED_S, SizeChooser, ViewChange
from tracking.policies.ladder import cost_px, expected_recall, scale_of, views_of

POLICIES = Policies(imgsz=AUTO)
VGA = (640, 480)


@dataclass
class Camera:
    """Frames are inferred by the view that the policy chose, with the probes that it requests."""

    size_px: tuple[int, int] = VGA
    policies: Policies = POLICIES
    fps: float = 5.0
    chooser: SizeChooser = field(init=False)
    time_s: float = 0.0
    changes: list[tuple[float, ViewChange]] = field(default_factory=list)
    probed: list[tuple[float, tuple[View, ...]]] = field(default_factory=list)
    probes_px: int = 0
    inferred_px: int = 0
    answers: bool = True

    def __post_init__(self) -> None:
        self.chooser = SizeChooser(self.policies)
        self.rng = np.random.default_rng(7)

    def run(self, seconds: float, heights_px: list[float]) -> None:
        """Run for `seconds` with people of these heights in the picture."""
        for _ in range(round(seconds * self.fps)):
            self.step(heights_px)

    def step(self, heights_px: list[float]) -> None:
        chooser, now_ns = self.chooser, round(self.time_s * 1e9)
        probes: tuple[Probe, ...] = ()
        if self.answers and chooser.probe and now_ns >= chooser.probe_at_ns:
            probes = tuple(Probe(view, *self.found(view, heights_px)) for view in chooser.probe)
            self.probed.append((self.time_s, chooser.probe))
            self.probes_px += sum(cost_px(view, self.size_px) for view in chooser.probe)
        self.inferred_px += cost_px(chooser.view, self.size_px)
        boxes, scores = self.found(chooser.view, heights_px)
        frame = PoseFrame("yard", 1, round(self.time_s * self.fps), now_ns, self.size_px, boxes, scores, None)
        if probes:
            frame = PoseFrame("yard", 1, frame.seq, now_ns, self.size_px, boxes, scores, None, probes=probes)
        change = chooser.update(frame, chooser.view, (boxes[:, 3] - boxes[:, 1]).tolist())
        if change is not None:
            self.changes.append((self.time_s, change))
        self.time_s += 1 / self.fps

    def found(self, view: View, heights_px: list[float]) -> tuple[np.ndarray, np.ndarray]:
        scale = scale_of(view, self.size_px)
        seen = [i for i, height in enumerate(heights_px) if self.rng.random() < expected_recall(height * scale)]
        boxes = [[200.0 * i, 10.0, 200.0 * i + 0.4 * heights_px[i], 10.0 + heights_px[i]] for i in seen]
        return np.array(boxes, np.float32).reshape(-1, 4), np.full(len(seen), 0.8, np.float32)

    @property
    def moves(self) -> list[tuple[float, ViewChange]]:
        """Changes of the view, without the announcement that the first one stays."""
        return [(at, change) for at, change in self.changes if change.before != change.after]


def test_small_people_get_a_larger_size_with_the_first_probe() -> None:
    camera = Camera((768, 576))
    camera.run(1, [80.0] * 8)
    assert [(at, str(change.after)) for at, change in camera.moves] == [(0.0, "1280")]
    assert camera.moves[0][1].why.startswith("of 8 people in 1 probe, 640 found ")
    camera.run(600, [80.0] * 8)
    assert camera.chooser.view.imgsz == 1280
    assert len(camera.moves) == 1


@pytest.mark.parametrize("people", [1, 6])
def test_large_people_get_a_small_size_within_a_minute(people: int) -> None:
    camera = Camera()
    camera.run(60, [400.0] * people)
    assert camera.chooser.view.imgsz <= 416
    before = len(camera.moves)
    camera.run(1800, [400.0] * people)
    assert len(camera.moves) <= before + 2


@pytest.mark.parametrize("height_px", [120.0, 150.0, 180.0, 220.0])
def test_sizes_that_just_suffice_do_not_alternate(height_px: float) -> None:
    camera = Camera()
    camera.run(120, [height_px] * 3)
    before = len(camera.moves)
    camera.run(3600, [height_px] * 3)
    assert len(camera.moves) - before <= 3, [(at, str(change.after)) for at, change in camera.moves]


def test_size_follows_people_who_become_smaller() -> None:
    camera = Camera()
    camera.run(300, [300.0] * 4)
    small = camera.chooser.view
    camera.run(90, [110.0] * 4)
    assert camera.chooser.view.imgsz >= 2 * small.imgsz
    camera.run(1200, [300.0] * 4)
    assert camera.chooser.view.imgsz <= 640


def test_cost_of_probes_is_bounded() -> None:
    camera = Camera()
    rng = np.random.default_rng(3)
    for _ in range(120):
        camera.run(20, rng.uniform(60, 400, rng.integers(0, 6)).tolist())
    first_px = probing.cost_of(camera.probed[0][1], VGA)
    assert len(camera.probed) > 5
    assert camera.probes_px <= probing.COST_SHARE * camera.inferred_px + (2 + probing.FREE_ROUNDS) * first_px


def test_empty_scene_leaves_budget_to_probe_the_people_who_come() -> None:
    camera = Camera(fps=0.2)  # the rate that the motion gate passes without motion
    camera.run(600, [])
    empty = len(camera.probed)
    assert empty <= 2, "the first frame, and perhaps a speculative probe"
    camera.fps = 5.0
    camera.run(10, [400.0])
    assert len(camera.probed) > empty
    camera.run(50, [400.0])
    assert camera.chooser.view.imgsz < 640


def test_people_too_small_for_the_first_size_are_found_by_a_speculative_probe() -> None:
    """No person is tracked, and only a speculative probe at the largest size can show them."""
    camera = Camera()
    camera.run(5, [])
    camera.run(120, [45.0, 50.0, 55.0])
    assert camera.chooser.view.imgsz == 1280


def test_picture_too_large_for_the_largest_size_is_tiled() -> None:
    camera = Camera((3840, 2160))
    camera.run(60, [110.0] * 10)
    assert camera.chooser.view.tiled
    assert camera.chooser.view in views_of(POLICIES, (3840, 2160))


def test_unanswered_probe_is_requested_again() -> None:
    camera = Camera()
    camera.answers = False
    camera.run(1, [300.0])
    (requested, at_ns) = camera.chooser.probe, camera.chooser.probe_at_ns
    assert requested
    camera.run(UNANSWERED_S + 1, [300.0])
    assert camera.chooser.probe == requested
    assert camera.chooser.probe_at_ns > at_ns, "ingest sends it once more"
    camera.answers = True
    camera.run(1, [300.0])
    assert camera.probed


def test_sizes_above_imgsz_max_are_not_chosen() -> None:
    camera = Camera((768, 576), Policies(imgsz=AUTO, imgsz_max=800))
    camera.run(60, [80.0] * 8)
    assert camera.chooser.view == View(800)
    assert max(view.imgsz for _, views in camera.probed for view in views) <= 800


def test_successor_makes_the_same_decisions() -> None:
    one, other = Camera(), Camera()
    for camera in (one, other):
        camera.run(8, [150.0, 170.0])
    other.chooser = SizeChooser(POLICIES)
    other.chooser.load_state(json.loads(json.dumps(one.chooser.state_dict())))
    for camera in (one, other):
        camera.run(200, [150.0, 170.0])
    assert one.changes == other.changes
    assert one.probed == other.probed
    assert one.chooser.state_dict() == other.chooser.state_dict()


def test_probes_continue_after_time_went_back() -> None:
    camera = Camera()
    camera.run(300, [300.0] * 2)
    camera.time_s, before = 0.0, len(camera.probed)
    camera.run(300, [300.0] * 2)
    assert len(camera.probed) > before
