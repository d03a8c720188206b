from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.tracking.scenes import SIZE_PX, dressed, person, pose_frame

from posebus.boxes import iou_matrix
from posebus.coco import COCO_MIRROR, COCO_SIGMAS
from posebus.config.settings import TrackerSettings
from posebus.contract import appearance
from tracking import body_model as model
from tracking.detections import UsableDetections, detections_of
from tracking.identities.initiation import initiate
from tracking.matching.colours import MAX_LOG_ODDS
from tracking.matching.likelihood import log_odds, oks
from tracking.motion import kalman
from tracking.tracks import Tracks

boxes = st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(1, 500), st.floats(1, 500)).map(
    lambda p: np.array([[p[0], p[1], p[0] + p[2], p[1] + p[3]]])
)


def detected(boxes_px: list[np.ndarray], *, keypoints: bool = True) -> tuple[UsableDetections, Tracks]:
    """Detections, and tracks initiated with them."""
    detections = detections_of(pose_frame(boxes_px, 0, 0.0, keypoints=keypoints), 0.1)
    return detections, initiate(np.arange(len(detections)), detections, SIZE_PX, 1, 0, TrackerSettings())


def odds_of(tracks: Tracks, detections: UsableDetections) -> np.ndarray:
    """Log odds (T, D) of tracks that are all recent."""
    return log_odds(tracks, detections, np.full(len(tracks), True))


class TestBoxes:
    @given(boxes, boxes)
    def test_iou_is_symmetric_and_in_0_to_1(self, a: np.ndarray, b: np.ndarray) -> None:
        overlap = iou_matrix(a, b)[0, 0]
        assert 0.0 <= overlap <= 1.0
        assert overlap == pytest.approx(iou_matrix(b, a)[0, 0])
        assert iou_matrix(a, a)[0, 0] == pytest.approx(1.0)

    def test_iou_of_known_boxes(self) -> None:
        a = np.array([[0.0, 0.0, 10.0, 10.0]])
        b = np.array([[5.0, 0.0, 15.0, 10.0], [20.0, 20.0, 30.0, 30.0], [0.0, 0.0, 10.0, 10.0]])
        np.testing.assert_allclose(iou_matrix(a, b), [[1 / 3, 0.0, 1.0]])


class TestBoxOdds:
    """Evidence by position and height, without joints and colours."""

    def test_body_at_its_predicted_position_has_odds_of_about_one(self) -> None:
        detections, tracks = detected([person(300, 300)], keypoints=False)
        assert -0.2 < odds_of(tracks, detections)[0, 0] <= 0.0

    @pytest.mark.parametrize("moved", [[1, 0, 1, 0], [0, 1, 0, 1], [0, -1, 0, 1]], ids=["aside", "down", "higher"])
    def test_odds_fall_with_distance(self, moved: list[int]) -> None:
        _, tracks = detected([person(300, 300)], keypoints=False)
        steps = [person(300, 300) + np.array(moved, np.float32) * 12 * step for step in range(6)]
        detections, _ = detected(steps, keypoints=False)
        assert (np.diff(odds_of(tracks, detections)[0]) < 0).all()

    def test_odds_are_a_normal_density(self) -> None:
        """Half the squared distance in standard deviations of body and filter together."""
        _, tracks = detected([person(300, 300)], keypoints=False)
        detections, _ = detected([person(300, 300), person(350, 300)], keypoints=False)
        variance = tracks.filter_states[kalman.VAR_POSITION, 0, 0]
        at_its_position, aside = odds_of(tracks, detections)[0]
        assert at_its_position - aside == pytest.approx(
            0.5 * 50**2 / ((model.EVIDENCE.position_std * 200) ** 2 + variance)
        )

    def test_gate_widens_and_evidence_weakens_while_unseen(self) -> None:
        detections, tracks = detected([person(300, 300), person(400, 300)], keypoints=False)
        first = odds_of(tracks, detections)
        tracks.filter_states = kalman.predict(tracks.filter_states, 1.0, tracks.body_px, model.MOTION)
        later = odds_of(tracks, detections)
        assert later[0, 0] < first[0, 0]
        assert later[0, 1] > first[0, 1]

    @pytest.mark.parametrize("keypoints", [True, False])
    def test_odds_do_not_change_with_the_scale(self, keypoints: bool) -> None:
        near, near_tracks = detected([person(300, 300, 200), person(330, 310, 190)], keypoints=keypoints)
        far, far_tracks = detected([person(30, 30, 20), person(33, 31, 19)], keypoints=keypoints)
        np.testing.assert_allclose(odds_of(near_tracks, near), odds_of(far_tracks, far), atol=1e-4)


def skeleton(confidence: float = 1.0) -> np.ndarray:
    """Joints (17, 3) at random in a square of 100 px."""
    rng = np.random.default_rng(1)
    return np.concatenate([rng.uniform(0, 100, (17, 2)), np.full((17, 1), confidence)], axis=1)


SPREAD2_PX2 = 900.0 * (2 * np.array(COCO_SIGMAS)) ** 2


class TestOks:
    def test_oks_of_equal_skeletons_is_one(self) -> None:
        assert oks(skeleton(), skeleton(), SPREAD2_PX2) == pytest.approx((1.0, 1.0))

    def test_oks_follows_cocos_definition(self) -> None:
        """With one joint moved by d: exp(-d^2 / (2 area (2 sigma)^2))."""
        moved = skeleton()
        moved[11, 0] += 4.0
        expected = (16 + np.exp(-(4.0**2) / (2 * 900.0 * (2 * COCO_SIGMAS[11]) ** 2))) / 17
        assert oks(skeleton(), moved, SPREAD2_PX2)[0] == pytest.approx(expected)

    def test_oks_ignores_joints_that_one_side_does_not_see(self) -> None:
        moved = skeleton()
        moved[:5, :2] += 500.0
        moved[:5, 2] = 0.0
        assert oks(skeleton(), moved, SPREAD2_PX2) == pytest.approx((1.0, 12 / 17))

    def test_oks_without_common_joints_is_zero(self) -> None:
        assert oks(skeleton(0.0), skeleton(), SPREAD2_PX2) == (0.0, 0.0)

    def test_position_variance_widens_the_tolerance(self) -> None:
        moved = skeleton()
        moved[:, 0] += 6.0
        sure, _ = oks(skeleton(), moved, SPREAD2_PX2)
        unsure, _ = oks(skeleton(), moved, SPREAD2_PX2 + 100.0)
        assert sure < unsure < 1.0


def cut_off(joints_moved_px: float = 0.0, confidence: float = 0.9) -> UsableDetections:
    """The person at (600, 300), 240 px high, whose legs are hidden by a table: the box ends at the hips."""
    frame = pose_frame([person(600, 300, 240)], 1, 0.04)
    assert frame.keypoints_px is not None
    frame.boxes_xyxy_px[0, 3] = 290.0
    frame.keypoints_px[0, :, 0] += joints_moved_px
    frame.keypoints_px[0, :, 2] = confidence
    frame.keypoints_px[0, 11:, 2] = 0.0
    return detections_of(frame, 0.1)


class TestSkeletons:
    def test_evidence_separates_bodies_with_equal_boxes(self) -> None:
        _, tracks = detected([person(300, 300)])
        upside_down = detections_of(pose_frame([person(300, 300)] * 2, 1, 0.05), 0.1)
        assert upside_down.joints is not None
        upside_down.joints[1, :, 1] = 600 - upside_down.joints[1, :, 1]
        odds = odds_of(tracks, upside_down)
        assert odds[0, 0] - odds[0, 1] > 1.0

    def test_mirrored_skeleton_still_fits_its_person(self) -> None:
        """Networks exchange left and right on people seen small or from behind."""
        _, tracks = detected([person(300, 300)])
        frame = detections_of(pose_frame([person(300, 300)] * 2, 1, 0.05), 0.1)
        assert frame.joints is not None
        frame.joints[1] = frame.joints[1, list(COCO_MIRROR)]
        odds = odds_of(tracks, frame)
        assert 0.0 < odds[0, 0] - odds[0, 1] < 0.2

    def test_mirror_exchanges_sides_only(self) -> None:
        assert sorted(COCO_MIRROR) == list(range(17))
        assert [COCO_MIRROR[COCO_MIRROR[joint]] for joint in range(17)] == list(range(17))
        assert np.array(COCO_SIGMAS)[list(COCO_MIRROR)].tolist() == list(COCO_SIGMAS)

    @pytest.mark.parametrize(
        ("recent", "position_std", "matched"), [(True, 0.04, True), (False, 0.19, True), (False, 0.21, False)]
    )
    def test_skeleton_alone_matches_a_track_whose_place_is_known(
        self, recent: bool, position_std: float, matched: bool
    ) -> None:
        """Head and shoulders are where they were, though the box does not fit."""
        _, tracks = detected([person(600, 300, 240)])
        tracks.filter_states[kalman.VAR_POSITION, :, :2] = (position_std * 240) ** 2
        odds = log_odds(tracks, cut_off(), np.array([recent]))[0, 0]
        assert (odds > -model.GATES.pair) == matched

    @pytest.mark.parametrize(
        "detections", [cut_off(joints_moved_px=40), cut_off(confidence=0.3)], ids=["elsewhere", "faint"]
    )
    def test_skeleton_alone_must_agree_and_be_visible(self, detections: UsableDetections) -> None:
        _, tracks = detected([person(600, 300, 240)])
        assert odds_of(tracks, detections)[0, 0] < -model.GATES.pair

    def test_undetected_joints_are_no_evidence(self) -> None:
        detections, tracks = detected([person(300, 300), person(340, 300)])
        boxes_only, bare = detected([person(300, 300), person(340, 300)], keypoints=False)
        assert detections.joints is not None
        detections.joints[:, :, 2] = 0.0
        np.testing.assert_allclose(odds_of(tracks, detections), odds_of(bare, boxes_only), atol=1e-12)

    def test_evidence_of_skeletons_grows_with_confidence(self) -> None:
        """Of three that fit, the more confident one counts more; of three upside down, it counts more against."""
        _, tracks = detected([person(300, 300)])
        detections, _ = detected([person(300, 300)] * 6)
        assert detections.joints is not None
        detections.joints[3:, :, 1] = 600 - detections.joints[3:, :, 1]
        detections.joints[:, :, 2] = np.array([0.2, 0.5, 0.9] * 2)[:, None]
        odds = odds_of(tracks, detections)[0]
        assert odds[0] < odds[1] < odds[2]
        assert odds[3] > odds[4] > odds[5]

    def test_skeletons_with_another_number_of_joints_are_compared_too(self) -> None:
        frame = pose_frame([person(300, 300)] * 2, 0, 0.0)
        assert frame.keypoints_px is not None
        frame = replace(frame, keypoints_px=np.ascontiguousarray(frame.keypoints_px[:, :9]))
        detections = detections_of(frame, 0.1)
        tracks = initiate(np.arange(1), detections, SIZE_PX, 1, 0, TrackerSettings())
        assert detections.joints is not None
        detections.joints[1, :, 0] += 80
        odds = odds_of(tracks, detections)
        assert odds[0, 0] > 0.5
        assert odds[0, 0] - odds[0, 1] > 1.0


class TestColours:
    def test_evidence_separates_bodies_with_equal_boxes(self) -> None:
        frame = dressed(pose_frame([person(300, 300)] * 2, 0, 0.0), [0, 3])
        detections = detections_of(frame, 0.1)
        tracks = initiate(np.arange(2), detections, SIZE_PX, 1, 0, TrackerSettings())
        odds = odds_of(tracks, detections)
        assert (np.diag(odds) - odds[[0, 1], [1, 0]] > MAX_LOG_ODDS).all()

    def test_track_without_colours_is_matched_without_them(self) -> None:
        plain = pose_frame([person(300, 300), person(340, 300)], 0, 0.0)
        tracks = initiate(np.arange(2), detections_of(plain, 0.1), SIZE_PX, 1, 0, TrackerSettings())
        without = odds_of(tracks, detections_of(plain, 0.1))
        np.testing.assert_array_equal(odds_of(tracks, detections_of(dressed(plain, [0, 3]), 0.1)), without)

    def test_frame_without_colours_is_matched_without_them(self) -> None:
        plain = pose_frame([person(300, 300), person(340, 300)], 0, 0.0)
        settings = TrackerSettings()
        tracks = initiate(np.arange(2), detections_of(dressed(plain, [0, 3]), 0.1), SIZE_PX, 1, 0, settings)
        bare = initiate(np.arange(2), detections_of(plain, 0.1), SIZE_PX, 1, 0, settings)
        detections = detections_of(plain, 0.1)
        np.testing.assert_array_equal(odds_of(tracks, detections), odds_of(bare, detections))


@pytest.mark.parametrize("keypoints", [True, False])
def test_each_body_fits_its_own_track_best(keypoints: bool) -> None:
    detections, tracks = detected([person(x, 300) for x in (200, 260, 320, 900)], keypoints=keypoints)
    odds = odds_of(tracks, detections)
    assert (odds.argmax(axis=1) == np.arange(4)).all()
    assert (odds.argmax(axis=0) == np.arange(4)).all()
    assert (np.diag(odds) > -0.2).all()
    assert odds[0, 3] < -20.0


@pytest.mark.parametrize(("tracks_n", "people_n"), [(0, 0), (0, 3), (3, 0)])
@pytest.mark.parametrize("colours", [True, False])
def test_no_tracks_or_no_people_give_empty_odds(tracks_n: int, people_n: int, colours: bool) -> None:
    _, tracks = detected([person(100 + 200 * i, 300) for i in range(tracks_n)])
    frame = pose_frame([person(100 + 200 * i, 300) for i in range(people_n)], 0, 0.0)
    detections = detections_of(dressed(frame, [0] * people_n) if colours else frame, 0.1)
    assert odds_of(tracks, detections).shape == (tracks_n, people_n)


class TestDetections:
    def test_unusable_detections_are_left_out(self) -> None:
        frame = pose_frame([person(200, 300)] * 6, 0, 0.0, scores=[0.9, 0.9, 0.9, 0.9, 0.05, np.nan])
        frame.boxes_xyxy_px[1, 0] = np.nan
        frame.boxes_xyxy_px[2, 2] = frame.boxes_xyxy_px[2, 0]
        frame.boxes_xyxy_px[3, 3] = np.inf
        assert frame.keypoints_px is not None
        frame.keypoints_px[0, 3] = np.nan
        detections = detections_of(frame, 0.1)
        assert detections.rows.tolist() == [0]
        assert detections.joints is not None
        assert np.isfinite(detections.joints).all()
        assert detections.joints[0, 3, 2] == 0.0
        assert (detections.joints[0, :3, 2] > 0.8).all()

    def test_all_columns_are_of_the_same_rows(self) -> None:
        frame = dressed(pose_frame([person(200 * i + 100, 300) for i in range(4)], 0, 0.0), [0, 1, 2, 3])
        frame.scores[1] = 0.05
        detections = detections_of(frame, 0.1)
        assert detections.rows.tolist() == [0, 2, 3]
        assert detections.joints is not None
        assert detections.appearance is not None
        assert frame.keypoints_px is not None
        assert frame.appearance is not None
        np.testing.assert_array_equal(detections.corners, frame.boxes_xyxy_px[[0, 2, 3]])
        np.testing.assert_array_equal(detections.scores, frame.scores[[0, 2, 3]])
        np.testing.assert_array_equal(detections.joints, frame.keypoints_px[[0, 2, 3]])
        np.testing.assert_array_equal(detections.appearance, frame.appearance[[0, 2, 3]])

    def test_colours_of_another_layout_are_dropped(self) -> None:
        frame = pose_frame([person(200, 300)], 0, 0.0)
        for length in (0, 16, appearance.SIZE - 1, appearance.SIZE + 1, 512):
            other = replace(frame, appearance=np.ones((1, length), np.float32))
            assert detections_of(other, 0.1).appearance is None

    def test_nan_colours_become_zero(self) -> None:
        frame = dressed(pose_frame([person(200, 300), person(500, 300)], 0, 0.0), [0, 1])
        assert frame.appearance is not None
        frame.appearance[0, 5] = np.nan
        rows = detections_of(frame, 0.1).appearance
        assert rows is not None
        assert not rows[0].any()
        np.testing.assert_array_equal(rows[1], frame.appearance[1])
