"""Confirmed, missed, hidden, lost and ended tracks, as the tracker reports them."""

from __future__ import annotations

import numpy as np
import pytest
from unit.tracking.scenes import SECOND_NS, SIZE_PX, in_state, person, pose_frame, run, walk

from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame, Track, TrackFrame
from tracking import PoseTracker

SETTINGS = TrackerSettings()


def without(frames: list[PoseFrame], from_s: float, to_s: float) -> list[PoseFrame]:
    """The frames, without detections from `from_s` up to before `to_s`."""
    times_s = [frame.captured_at_ns / SECOND_NS for frame in frames]
    return [
        pose_frame([], frame.seq, time_s) if from_s <= time_s < to_s else frame
        for frame, time_s in zip(frames, times_s, strict=True)
    ]


def at(results: list[TrackFrame], time_s: float) -> TrackFrame:
    """The result of the frame captured at that time."""
    (result,) = [result for result in results if abs(result.captured_at_ns - time_s * SECOND_NS) < 1000]
    return result


def only(result: TrackFrame) -> Track:
    (track,) = result.tracks
    return track


def clipped(box: np.ndarray) -> np.ndarray:
    """The part of a box inside the picture, as a detector reports it."""
    return np.clip(box, 0, [SIZE_PX[0], SIZE_PX[1]] * 2).astype(np.float32)


class TestInitiation:
    @pytest.mark.parametrize(
        ("score", "states"),
        [
            (SETTINGS.certain_score + 0.05, ["confirmed"] * 8),
            ((SETTINGS.birth_score + SETTINGS.certain_score) / 2, ["tentative"] * 4 + ["confirmed"] * 4),
        ],
        ids=["high score", "low score"],
    )
    def test_new_person_with_a_low_score_is_tentative_first(self, score: float, states: list[str]) -> None:
        """It is confirmed by elapsed time, not by frames; one with a high score at once."""
        steps_s = SETTINGS.confirm_s / 4
        frames = [pose_frame([person(300, 300)], seq, seq * steps_s, scores=[score]) for seq in range(8)]
        assert [only(result).state for result in run(frames)] == states

    def test_tentative_track_that_is_missed_ends(self) -> None:
        score = (SETTINGS.birth_score + SETTINGS.certain_score) / 2
        frames = [
            pose_frame([person(300, 300)] * (seq != 1), seq, seq / 50, scores=[score] * (seq != 1)) for seq in range(9)
        ]
        results = run(frames)
        assert [(track.id, track.state) for track in results[1].tracks] == [(1, "ended")]
        assert {track.id for track in results[-1].tracks} == {2}

    def test_every_new_track_is_confirmed_if_confirm_s_is_zero(self) -> None:
        tracker = PoseTracker(TrackerSettings(confirm_s=0))
        frame = pose_frame([person(300, 300)], 0, 0.0, scores=[SETTINGS.birth_score])
        assert only(tracker.update(frame)).state == "confirmed"

    def test_low_scores_continue_tracks_and_never_start_one(self) -> None:
        faint = (SETTINGS.low_score + SETTINGS.high_score) / 2
        frames = walk([i / 25 for i in range(50)], lanes=1)
        for frame in frames[11:]:
            frame.scores[:] = faint
        results = run(frames)
        assert all(in_state(result, "confirmed") == [1] for result in results)
        assert not any(only(result).coasted for result in results)
        assert not any(result.tracks for result in run(frames[11:]))

    def test_duplicate_detection_starts_no_track(self) -> None:
        frames = walk([i / 25 for i in range(30)], lanes=1)
        doubled = [
            pose_frame([f.boxes_xyxy_px[0], f.boxes_xyxy_px[0] + 4], f.seq, f.seq / 25, scores=[0.9, 0.8])
            for f in frames
        ]
        results = run([frames[0], *doubled[1:]])
        assert {track.id for result in results for track in result.tracks} == {1}


class TestMissed:
    @pytest.mark.parametrize("fps", [5, 10, 25, 60])
    def test_short_miss_is_coasted_and_no_loss(self, fps: int) -> None:
        """Up to `missed_s`, for any number of frames."""
        last = int(SETTINGS.missed_s * fps)
        times_s = [i / fps for i in range(3 * fps)]
        results = run(without(walk(times_s, lanes=1), 2.0, 2.0 + (last - 0.5) / fps))
        for result in results[: 2 * fps] + results[2 * fps + last :]:
            assert (only(result).id, only(result).state, only(result).coasted) == (1, "confirmed", False)
        for result in results[2 * fps : 2 * fps + last]:
            track = only(result)
            assert (track.id, track.state, track.coasted, track.pose_index) == (1, "confirmed", True, None)

    def test_coasted_track_keeps_moving(self) -> None:
        frames = walk([i / 25 for i in range(60)], lanes=1)
        results = run(without(frames, 2.0, 2.2))
        for frame, result in zip(frames[50:55], results[50:55], strict=True):
            assert only(result).coasted
            assert np.abs(only(result).box_xyxy_px - frame.boxes_xyxy_px[0]).max() < 8

    def test_track_is_lost_at_once_if_missed_s_is_zero(self) -> None:
        frames = without(walk([i / 25 for i in range(60)], lanes=1), 2.0, 2.04)
        result = at(run(frames, PoseTracker(TrackerSettings(missed_s=0.0))), 2.0)
        assert (only(result).state, only(result).coasted) == ("lost", True)


class TestHidden:
    """B walks in front of A and stays there; A is not detected from 2 s to 5 s."""

    @staticmethod
    def scene(fps: int, *, beside_px: float = 10.0) -> list[PoseFrame]:
        frames = []
        for seq in range(7 * fps):
            time_s = seq / fps
            front = person(600 + beside_px + 200 * max(2.0 - time_s, 0.0), 330, 220)
            behind = [] if 2.0 <= time_s < 5.0 else [person(600, 300)]
            frames.append(pose_frame([front, *behind], seq, time_s))
        return frames

    @pytest.mark.parametrize("fps", [10, 25, 50])
    def test_hidden_track_stays_confirmed_while_its_position_is_certain(self, fps: int) -> None:
        """Then it is reported lost once, and not again until it is found."""
        results = run(self.scene(fps))
        reported = [
            next((track for track in result.tracks if track.id == 2), None) for result in results[2 * fps : 5 * fps]
        ]
        states = [None if track is None else track.state for track in reported]
        clear = states.count("confirmed")
        assert SETTINGS.report_lost_s < clear / fps < 2.0
        assert states == ["confirmed"] * clear + ["lost"] + [None] * (3 * fps - clear - 1)
        for track in reported[: clear + 1]:
            assert track is not None
            assert (track.coasted, track.pose_index) == (True, None)
            assert np.abs(track.box_xyxy_px - person(600, 300)).max() < 10
        assert in_state(results[-1], "confirmed") == [1, 2]

    def test_track_without_a_person_in_front_is_lost(self) -> None:
        """The other person stands aside: the unseen track is lost after `missed_s`."""
        results = run(self.scene(25, beside_px=150))
        assert in_state(at(results, 2.16), "confirmed") == [1, 2]
        assert in_state(at(results, 2.24), "lost") == [2]

    def test_hidden_track_with_an_uncertain_position_is_lost_sooner(self) -> None:
        """A person detected for a moment only may move in any direction."""
        frames = self.scene(25)
        brief = [pose_frame(f.boxes_xyxy_px[:1], f.seq, f.seq / 25) if f.seq < 46 else f for f in frames]
        confirmed = [
            sum(2 in in_state(result, "confirmed") for result in run(each)[50:125]) for each in (frames, brief)
        ]
        assert 0 < confirmed[1] < 0.7 * confirmed[0]


class TestLost:
    def test_lost_track_is_reported_for_report_lost_s_and_then_not_until_found(self) -> None:
        """A walker behind a pillar: its predicted box moves on, is no longer reported, and the identity comes back."""
        frames = walk([i / 20 for i in range(120)], lanes=1)
        results = run(without(frames, 2.0, 4.0))
        assert all(in_state(result, "confirmed") == [1] for result in results[:40] + results[80:])
        scores = []
        for frame, result in zip(frames[40:], results[40:80], strict=False):
            unseen_s = (frame.captured_at_ns - frames[39].captured_at_ns) / SECOND_NS
            if unseen_s > SETTINGS.report_lost_s + 1e-6:
                assert result.tracks == ()
                continue
            track = only(result)
            assert (track.id, track.coasted, track.pose_index) == (1, True, None)
            assert track.state == ("confirmed" if unseen_s <= SETTINGS.missed_s + 1e-6 else "lost")
            assert track.keypoints_px is not None
            assert frame.keypoints_px is not None
            assert np.abs(track.box_xyxy_px - frame.boxes_xyxy_px[0]).max() < 15
            assert np.abs(track.keypoints_px[:, :2] - frame.keypoints_px[0, :, :2]).max() < 15
            faded = 0.9 * (1 - unseen_s / SETTINGS.lost_s)
            np.testing.assert_allclose(track.keypoints_px[:, 2], faded, rtol=1e-5)
            scores.append(track.score)
        np.testing.assert_allclose(scores, [0.9 * (1 - n / 20 / SETTINGS.lost_s) for n in range(1, 11)], rtol=1e-5)
        assert only(results[80]).age_s == 4.0

    def test_lost_track_is_reported_once_even_at_a_low_frame_rate(self) -> None:
        """At one frame per second everything is later than `report_lost_s`."""
        results = run([pose_frame([person(300, 300)] * (seq < 3), seq, float(seq)) for seq in range(10)])
        assert [[t.state for t in r.tracks] for r in results[2:]] == [
            ["confirmed"],
            ["lost"],
            [],
            [],
            [],
            ["ended"],
            [],
            [],
        ]

    @pytest.mark.parametrize("fps", [5, 25])
    def test_lost_track_ends_once_after_lost_s(self, fps: int) -> None:
        """Two people vanish: reported until `report_lost_s`, ended by the first frame after `lost_s`."""
        boxes = [person(300, 300), person(800, 300)]
        results = run([pose_frame(boxes if seq <= fps else [], seq, seq / fps) for seq in range(7 * fps)])
        ended = [(result.seq, track.id) for result in results for track in result.tracks if track.state == "ended"]
        first = int((1.0 + SETTINGS.lost_s) * fps) + 1
        assert ended == [(first, 1), (first, 2)]
        reported = int((1.0 + SETTINGS.report_lost_s) * fps)
        assert all(len(result.tracks) == 2 for result in results[: reported + 1])
        assert not any(result.tracks for result in results[reported + 1 : first] + results[first + 1 :])
        assert at(results, 1.0 + 2 / 5).tracks[0].state == "lost"

    def test_durations_follow_the_settings(self) -> None:
        settings = TrackerSettings(missed_s=0.1, report_lost_s=0.6, lost_s=1.0)
        frames = [pose_frame([person(300, 300)] * (seq < 10), seq, seq / 10) for seq in range(40)]
        states = [[track.state for track in result.tracks] for result in run(frames, PoseTracker(settings))]
        assert states[9:] == [["confirmed"]] * 2 + [["lost"]] * 5 + [[]] * 4 + [["ended"]] + [[]] * 19

    def test_track_found_again_before_lost_s_keeps_its_id(self) -> None:
        frames = [pose_frame([person(300, 300)] * (seq < 20 or seq >= 99), seq, seq / 20) for seq in range(120)]
        results = run(frames)
        assert results[99].tracks[0].id == 1
        assert not any(in_state(result, "ended") for result in results)

    def test_low_score_detection_does_not_match_a_long_lost_track(self) -> None:
        """It may as well be a bag; within `in_sight_s` it matches."""
        for unseen_s, expected in ((0.2, 1), (0.6, None)):
            frames = [pose_frame([person(300, 300)], seq, seq / 20) for seq in range(20)]
            frames.append(pose_frame([person(300, 300)], 20, 0.95 + unseen_s, scores=[0.2]))
            seen = [track.id for track in run(frames)[-1].tracks if not track.coasted]
            assert seen == ([] if expected is None else [expected])

    def test_gap_in_the_stream_longer_than_lost_s_ends_the_track(self) -> None:
        results = run(walk([0.0, 0.1, 0.2, 3600.0, 3600.1], lanes=1))
        assert [(track.id, track.state) for track in results[3].tracks] == [(2, "confirmed"), (1, "ended")]


class TestLeaving:
    @pytest.mark.parametrize("aside", [1, -1], ids=["right", "left"])
    def test_person_who_enters_where_another_left_is_a_new_track(self, aside: int) -> None:
        """One person leaves; half a second later another one enters at the same place."""
        frames = []
        for seq in range(150):
            time_s = seq / 25
            places = (360 + 150 * time_s, 680 - 150 * max(time_s - 2.5, 0.0))
            boxes = [clipped(person(SIZE_PX[0] / 2 + aside * place, 300)) for place in places]
            frames.append(pose_frame([box for box in boxes if box[2] - box[0] > 8], seq, time_s))
        results = run(frames)
        assert in_state(results[0], "confirmed") == [1]
        assert in_state(results[-1], "confirmed") == [2]

    def test_track_that_left_the_picture_ends_soon(self) -> None:
        frames = []
        for seq in range(120):
            box = clipped(person(1000 + 150 * seq / 25, 300))
            frames.append(pose_frame([box] if box[2] - box[0] > 8 else [], seq, seq / 25))
        last_seen = max(frame.seq for frame in frames if len(frame.scores))
        ended = [result.seq for result in run(frames) if in_state(result, "ended")]
        assert len(ended) == 1
        assert SETTINGS.leaving_s < (ended[0] - last_seen) / 25 < SETTINGS.leaving_s + 0.1

    def test_person_hidden_at_the_border_has_not_left(self) -> None:
        """A person at the border is covered for a second and keeps its identity."""
        box = clipped(person(1260, 300))
        frames = [pose_frame([] if 25 <= seq < 50 else [box], seq, seq / 25) for seq in range(75)]
        assert in_state(run(frames)[-1], "confirmed") == [1]


class TestSliver:
    """Less than a third of a person at a side of the picture does not count as present."""

    @staticmethod
    def walk_out(fps: int = 25) -> list[PoseFrame]:
        """A person 240 px high and 96 wide walks out to the right at 100 px/s, and is gone at 3.28 s."""
        boxes = [clipped(person(1000 + 100 * seq / fps, 300, 240)) for seq in range(int(3.2 * fps))]
        return [pose_frame([box], seq, seq / fps) for seq, box in enumerate(boxes)]

    def test_detected_sliver_is_lost_under_its_id(self) -> None:
        narrow = [
            result for result, frame in zip(run(self.walk_out()), self.walk_out(), strict=True) if width(frame) < 28
        ]
        assert narrow
        assert all(only(result).state == "lost" and only(result).id == 1 for result in narrow)
        assert all(only(result).pose_index == 0 and not only(result).coasted for result in narrow)

    def test_wider_box_at_the_border_is_confirmed(self) -> None:
        wide = [
            result for result, frame in zip(run(self.walk_out()), self.walk_out(), strict=True) if width(frame) > 30
        ]
        assert all(in_state(result, "confirmed") == [1] for result in wide)

    def test_entering_person_is_confirmed_from_the_same_width_on(self) -> None:
        frames = [
            pose_frame([frame.boxes_xyxy_px[0]], seq, seq / 25) for seq, frame in enumerate(self.walk_out()[::-1])
        ]
        results = run(frames)
        assert only(results[0]).state == "tentative"
        there = [in_state(result, "confirmed") == [1] for result in results]
        assert there == sorted(there)
        assert 28 <= width(frames[there.index(True)]) <= 32

    def test_narrow_box_inside_the_picture_is_confirmed(self) -> None:
        """A strip of a person between two pillars."""
        box = np.array([600, 200, 620, 440], np.float32)
        assert all(
            only(result).state == "confirmed" for result in run([pose_frame([box], i, i / 25) for i in range(9)])
        )


def width(frame: PoseFrame) -> float:
    """Width of the box of the only person."""
    return float(frame.boxes_xyxy_px[0, 2] - frame.boxes_xyxy_px[0, 0])
