"""One camera's tracker: a PoseFrame in, the identities in it out."""

from __future__ import annotations

from typing import Any

import numpy as np

from posebus.arrays import BoolArray
from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame, TrackFrame, Uninferred
from tracking import body_model as model
from tracking import snapshot
from tracking.detections import detections_of, no_detections
from tracking.identities import births, lifecycle
from tracking.identities.report import report
from tracking.identities.track import ENDED, TENTATIVE, Tracks, no_tracks
from tracking.matching.association import associate
from tracking.matching.likelihood import log_odds
from tracking.motion import kalman
from tracking.motion.borders import entering
from tracking.snapshot import Instant, TrackerState


class PoseTracker:
    """Links the poses of successive frames of one camera into identities.

    Pure: what comes out depends on the settings and the frames alone. One instance per camera; instances share
    nothing. Ids count from 1 on the instance and are never used again, whatever epoch comes.

    Times are the frames' own, so frames may be dropped and come irregularly. In what order they come matters:

    - A frame that is not newer changes nothing and gets a TrackFrame without tracks: one with an (epoch, seq) not
      after the last one's, or with a newer seq of the same epoch but captured up to `lost_s` before the last frame
      or at the same instant.
    - A new epoch whose time runs on goes on with the same identities (a camera that reconnected).
    - Where time jumps back (a new epoch not captured after the last frame: a recording that starts again; or by more
      than `lost_s` within an epoch: a clock that was set) all tracks are reported `ended`, with this frame, and its
      people get new ids.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._state = TrackerState(tracks=no_tracks(), next_id=1, last=None)

    def update(self, frame: PoseFrame) -> TrackFrame:
        """The identities in `frame`; see the class for frames out of order.

        Reports, oldest first:

        - who is seen, `confirmed` or still `tentative`, or `lost` where only a sliver is left of it at a side of the
          picture: a box between the detection's and the filter's, and a smoothed skeleton;
        - who is `confirmed` and coasted, missed for a moment (`missed_s`) or hidden by somebody seen: all predicted;
        - who is `lost`, predicted, for `report_lost_s`, but at least once;
        - then each ended track once, in the frame that ended it: unseen for longer than `lost_s` (soon after it walked
          out of the picture), or never confirmed.

        Score and joint confidences of who is not seen fade linearly to 0 over `lost_s`.
        """
        now = Instant(frame.epoch, frame.seq, frame.captured_at_ns)
        if self._is_stale(now):
            return TrackFrame(frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px, ())
        tracks, over = self._predicted(frame, now)
        return self._step(frame, tracks, over, now)

    def predict(self, frame: Uninferred) -> TrackFrame:
        """Where everybody is expected in a frame that nobody looked at: `update` without a look, and so without news.

        All that is reported is `coasted`: who was seen in the last inferred frame is what it was then, at its
        predicted place. Nobody is missed, and the time without a look is held against nobody whom the look before it
        saw; who was missed already is waited for as long as ever, and may end here.
        """
        now = Instant(frame.epoch, frame.seq, frame.captured_at_ns)
        if self._is_stale(now):
            return TrackFrame(frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px, (), False)
        tracks, over = self._predicted(frame, now)
        ended, tracks = tracks.select(over), tracks.select(~over)
        self._state = TrackerState(tracks=tracks, next_id=self._state.next_id, last=now)
        ended.state[:] = ENDED
        nobody, none_lost = np.full(len(tracks), -1, np.intp), np.zeros(len(tracks), np.bool_)
        return report(frame, tracks.joined(ended), nobody, none_lost, no_detections(), self._settings)

    @property
    def tracks(self) -> Tracks:
        """Everybody who lives after the last frame; to be read only."""
        return self._state.tracks

    def _is_stale(self, now: Instant) -> bool:
        last = self._state.last
        return last is not None and now.is_stale(last, self._settings.lost_s)

    def _predicted(self, frame: PoseFrame | Uninferred, now: Instant) -> tuple[Tracks, BoolArray]:
        """The tracks as they are expected in a newer frame, to be written to, and a mask of those that end with it."""
        last = self._state.last
        tracks = self._state.tracks.copy()  # whose beliefs are replaced by the prediction
        restarted = last is not None and now.captured_at_ns <= last.captured_at_ns
        if last is not None and not restarted:
            elapsed_s = (now.captured_at_ns - last.captured_at_ns) / 1e9
            if isinstance(frame, Uninferred):
                entering(tracks, frame.size_px, last.captured_at_ns)
                tracks.unseen_from_ns[tracks.unseen_from_ns == last.captured_at_ns] = now.captured_at_ns
            tracks.beliefs = kalman.predict(tracks.beliefs, elapsed_s, tracks.size_px, model.MOTION)
        over = (
            np.full(len(tracks), True)
            if restarted
            else lifecycle.outlived(tracks, frame.size_px, now.captured_at_ns, self._settings)
        )
        return tracks, over

    def _step(self, frame: PoseFrame, tracks: Tracks, over: BoolArray, now: Instant) -> TrackFrame:
        """Update with a newer frame: `tracks` are predicted to it, those in the mask `over` end with it."""
        settings, now_ns = self._settings, now.captured_at_ns
        detections = detections_of(frame, settings.low_score)
        if detections.joints is not None:
            tracks.expect_joints(detections.joints.shape[1])
        ended: list[Tracks] = []
        if over.any():
            ended.append(tracks.select(over))
            tracks = tracks.select(~over)
        in_sight = now_ns - tracks.unseen_from_ns <= settings.in_sight_s * 1e9
        taken = associate(log_odds(tracks, detections, in_sight), tracks, detections, in_sight, settings)
        unseen = taken < 0
        if unseen.any():
            given_up = unseen & (tracks.state == TENTATIVE)
            if given_up.any():
                ended.append(tracks.select(given_up))
                tracks, taken = tracks.select(~given_up), taken[~given_up]
        born = births.newcomers(taken, detections, settings)
        lifecycle.see(tracks, taken, detections, frame.size_px, now_ns, settings)
        lost = lifecycle.miss(tracks, taken, frame.size_px, now_ns, settings)
        if len(born):
            begun = births.begun(born, detections, frame.size_px, self._state.next_id, now_ns, settings)
            begun.expect_joints(tracks.joints.shape[1])
            tracks, taken = tracks.joined(begun), np.concatenate((taken, born))
        self._state = TrackerState(tracks=tracks, next_id=self._state.next_id + len(born), last=now)
        for group in ended:
            group.state[:] = ENDED
            tracks = tracks.joined(group)
        return report(frame, tracks, taken, lost, detections, settings)

    def end_source(self) -> None:
        """The source is over: nobody in the next frame, whenever it comes, is one of the people seen so far.

        Ids go on rising; who was tracked gets no `ended`, which belongs to a frame.
        """
        self._state = TrackerState(tracks=no_tracks(), next_id=self._state.next_id, last=None)

    def state_dict(self) -> dict[str, Any]:
        """All that the tracker knows: JSON scalars and lists, and numpy arrays, nothing shared with the tracker."""
        return snapshot.to_dict(self._state)

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()` of a tracker with the same settings: the same outputs from there, bit for bit.

        Raises MalformedMessage, and changes nothing, if `state` is no such dict.
        """
        self._state = snapshot.from_dict(state)
