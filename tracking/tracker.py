"""One camera's tracker: a PoseFrame in, the identities in it out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from posebus.arrays import BoolArray
from posebus.config.settings import TrackerSettings
from posebus.contract.arguments import checked_key, checked_pose_frame
from posebus.messages import PoseFrame, TrackFrame, Uninferred
from tracking import body_model as model
from tracking import snapshot
from tracking.compiled import any_of, plain
from tracking.detections import detections_of, no_detections
from tracking.identities import initiation, lifecycle, succession
from tracking.identities.report import report, track_frame
from tracking.identities.updating import update_matched
from tracking.linking import link
from tracking.matching.cuts import people_stay
from tracking.motion import kalman
from tracking.motion.camera_memory import NOTHING_BEFORE
from tracking.second_thoughts.reconsidering import TrackedFrame, reconsider
from tracking.snapshot import FrameTime, TrackerState
from tracking.tracks import ENDED, TENTATIVE, Tracks, no_tracks


class PoseTracker:
    """Links the poses of successive frames of one camera into identities.

    Pure: the output depends on the settings and the frames alone. One instance per camera; instances share nothing. Ids
    count from 1 on the instance and are never reused, in no epoch.

    Times are the frames' own, so frames may be dropped and come irregularly, at any rate from one frame in ten seconds
    on. Times without detection (`missed_s`, `in_sight_s`, `report_lost_s`, `leaving_s`, `lost_s`) run from the last
    detection where frames come faster than `in_sight_s`. Where they come more slowly, no person can be missed between
    two:

    - As far as an interval is usual, only `in_sight_s` of it count (`leaving_s` if that is less). So each person who
      was detected in one frame may be matched in the next one, also with a low score; a track is confirmed by its
      second detection; and one that a frame misses is lost with it (coasted if `missed_s` is longer than what counts),
      and ends with the first frame that comes `lost_s` after that.
    - An interval is usual up to one and a half times the longest of the last eight, and up to 15 s; so is the first one
      of a stream up to 15 s. What is above that is a gap in the stream, and counts.
    - A person who stays (sits, stands) keeps the id through such an interval, others as far as the movement is
      predictable.

    The order of frames matters:

    - A frame that is not newer changes nothing and gets a TrackFrame without tracks: one with an (epoch, seq) not
      after the last one's, or with a newer seq of the same epoch but captured up to `lost_s` before the last frame
      or at the same instant.
    - A new epoch whose time runs on continues the same identities (a camera that reconnected).
    - Where time jumps back (a new epoch not captured after the last frame: a recording that starts again; or by more
      than `lost_s` within an epoch: a clock that was set) all tracks are reported `ended`, with this frame, and its
      people get new ids.

    The tracks follow the picture: where a frame says how the camera moved (`camera_motion`), where the detections
    together show it, and where the picture's size changes. A size is taken for the whole view, scaled, unless the
    people agree better with a cropped or letterboxed one; if they agree with none, it is another view, and the tracks
    are lost as usual. Velocities are relative to the scene. Another shot in the same epoch ends all tracks, with its
    first frame, unless half of the people are still exactly where they were expected.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        """Raises ValueError for settings that are no `posebus.config.settings.TrackerSettings`."""
        if settings is not None and not isinstance(settings, TrackerSettings):
            raise ValueError(f"settings is of the type {type(settings).__name__}, expected TrackerSettings")
        self._settings = settings or TrackerSettings()
        self._state = TrackerState(tracks=no_tracks(), next_id=1, last=None)
        self._passage = NOTHING_BEFORE

    def update(self, frame: PoseFrame) -> TrackFrame:
        """Track an inferred frame; see the class for frames out of order.

        The result has, oldest first:

        - detected tracks, `confirmed` or still `tentative`, or `lost` where only a sliver of the person is left at a
          side of the picture: a box between the detection's and the filter's, and a smoothed skeleton;
        - `confirmed` tracks that are coasted, undetected for a moment (`missed_s`) or hidden by a detected person: all
          predicted;
        - `lost` tracks, predicted, for `report_lost_s`, but at least once;
        - then each ended track once, in the frame that ended it: unseen for longer than `lost_s` (sooner after it left
          the picture), or never confirmed.

        Score and joint confidences of undetected tracks fade linearly to 0 over `lost_s`.

        Raises ValueError, and changes nothing, for a frame whose fields have other shapes, types or ranges than
        `PoseFrame` says.
        """
        frame = checked_pose_frame(frame)
        now = FrameTime(frame.epoch, frame.seq, frame.captured_at_ns)
        if self._is_stale(now):
            return track_frame(frame, ())
        tracks, expired = self._predicted(frame, now)
        cut = self._passage
        if cut.is_cut and self._state.last is not None:
            stayed, over = self._predicted(frame, now, believe_cut=False)
            detections, last_ns = detections_of(frame, self._settings.low_score), self._state.last.captured_at_ns
            if people_stay(stayed.select(~over), detections, last_ns, now.captured_at_ns, self._settings):
                tracks, expired = stayed, over
            else:
                self._passage = cut
        return self._step(frame, tracks, expired, now)

    def predict(self, frame: Uninferred) -> TrackFrame:
        """Predict all tracks in a frame that was not inferred: an `update` without detections, and so without misses.

        Every track is reported `coasted`: one that was detected in the last inferred frame keeps its state, at its
        predicted position. Time without inference does not count as unseen for it; a track that was missed already
        keeps its deadline, and may end here. Raises ValueError as `update` does.
        """
        frame = checked_key(frame)
        now = FrameTime(frame.epoch, frame.seq, frame.captured_at_ns)
        if self._is_stale(now):
            return track_frame(frame, ())
        tracks, expired = self._predicted(frame, now)
        ended, tracks = tracks.select(expired), tracks.select(~expired)
        camera = self._state.camera.followed(frame, self._passage, None)
        intervals = self._state.intervals_after(now)
        self._state = replace(self._state, tracks=tracks, last=now, intervals=intervals, camera=camera)
        ended.state[:] = ENDED
        no_matches, none_lost = np.full(len(tracks), -1, np.intp), np.zeros(len(tracks), np.bool_)
        return report(frame, tracks.joined(ended), no_matches, none_lost, no_detections(), self._settings)

    @property
    def is_cut(self) -> bool:
        """Whether another shot began with the last frame, which ended all tracks before it."""
        return self._passage.is_cut

    @property
    def tracks(self) -> Tracks:
        """All live tracks after the last frame; to be read only."""
        return self._state.tracks

    def _is_stale(self, now: FrameTime) -> bool:
        last = self._state.last
        return last is not None and now.is_stale(last, self._settings.lost_s)

    def _predicted(
        self, frame: PoseFrame | Uninferred, now: FrameTime, *, believe_cut: bool = True
    ) -> tuple[Tracks, BoolArray]:
        """The tracks predicted to a newer frame, to be written to, and the mask of those that end with it.

        If the frame announces a cut that is not to be believed, the camera counts as still.
        """
        last, camera = self._state.last, self._state.camera
        tracks = self._state.tracks.copy()
        if last is None:
            self._passage = NOTHING_BEFORE
            return tracks, np.full(len(tracks), True)
        known = camera if believe_cut else replace(camera, motion=None)
        passage = self._passage = known.passage_to(frame, last.epoch, last.captured_at_ns)
        if not passage.continues:
            return tracks, np.full(len(tracks), True)
        if passage.moved is not None:
            tracks.follow_picture(passage.moved, frame.size_px)
        last_ns, now_ns, settings = last.captured_at_ns, now.captured_at_ns, self._settings
        if isinstance(frame, Uninferred):
            lifecycle.skip_measurement(tracks, frame.size_px, last_ns, now_ns)
        else:
            lifecycle.excuse_interval(tracks, last_ns, now_ns, self._state.intervals, settings)
        tracks.filter_states = kalman.predict(
            tracks.filter_states, passage.elapsed_s, tracks.body_px, plain(model.MOTION)
        )
        push_px_s = camera.push_px_s(frame.size_px)
        return tracks, lifecycle.expired(tracks, frame.size_px, now_ns, push_px_s, settings)

    def _step(self, frame: PoseFrame, tracks: Tracks, expired: BoolArray, now: FrameTime) -> TrackFrame:
        """Update with a newer frame: `tracks` are predicted to it, those in the mask `expired` end with it."""
        settings, before, now_ns = self._settings, self._state, now.captured_at_ns
        detections = detections_of(frame, settings.low_score)
        if detections.joints is not None:
            tracks.expect_joints(detections.joints.shape[1])
        ended: list[Tracks] = []
        if any_of(expired):
            ended.append(tracks.select(expired))
            tracks = tracks.select(~expired)
        linked = link(frame, tracks, detections, before, now, self._passage, settings)
        matches, gone = linked.matches, linked.gone
        if any_of(gone):
            ended.append(tracks.select(gone))
            tracks, matches = tracks.select(~gone), matches[~gone]
        tentative = tracks.state == TENTATIVE
        update_matched(tracks, matches, detections, frame.size_px, now_ns, settings)
        lost = lifecycle.mark_missed(tracks, matches, frame.size_px, now_ns, settings)
        rows, overlapped = linked.new
        if len(rows):
            new = initiation.initiate(rows, detections, frame.size_px, before.next_id, now_ns, settings, overlapped)
            new.expect_joints(tracks.joints.shape[1])
            tracks, matches = tracks.joined(new), np.concatenate((matches, rows))
            lost = np.concatenate((lost, np.zeros(len(rows), np.bool_)))
        aliases = succession.give_way(before.aliases, tracks, matches, tentative, lost, now_ns)
        doubts, renamed = before.doubts, linked.merged.renamed
        ids: frozenset[int] = frozenset()
        # Both kinds of corrections in one frame could contradict each other.
        if not renamed:
            elapsed_s = None if before.last is None else before.last.seconds_until(now)
            seen = TrackedFrame(detections, matches, len(rows), linked.confused, now.seq, now_ns, elapsed_s)
            doubts, correction = reconsider(doubts, tracks, seen)
            if correction is not None:
                bodies, renamed, ids = correction.bodies, correction.renamed, correction.ids
                tracks, matches, lost = tracks.with_bodies(correction.identities, bodies), matches[bodies], lost[bodies]
        state = TrackerState(
            tracks=tracks,
            next_id=before.next_id + len(rows),
            last=now,
            intervals=before.intervals_after(now),
            camera=linked.camera,
            watched=linked.merged.watched,
            aliases=aliases,
            doubts=doubts,
        )
        self._state = state.without(ids) if ids else state
        for group in ended:
            group.state[:] = ENDED
            tracks = tracks.joined(group)
        result = report(frame, tracks, matches, lost, detections, settings)
        return replace(result, renamed=renamed) if renamed else result

    def end_source(self) -> None:
        """End the source: the people of the next frame, at any time, get new ids.

        Ids keep rising; live tracks are not reported `ended`, since that belongs to a frame.
        """
        self._state = TrackerState(tracks=no_tracks(), next_id=self._state.next_id, last=None)

    def state_dict(self) -> dict[str, Any]:
        """The whole state: JSON scalars and lists, and numpy arrays that are not shared with the tracker."""
        return snapshot.to_dict(self._state)

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore `state_dict()` of a tracker with the same settings: from there, outputs are the same bit for bit.

        Raises MalformedMessage, and changes nothing, if `state` is not such a dict.
        """
        self._state = snapshot.from_dict(state)
