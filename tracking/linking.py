"""Linking the detections of one frame to the tracks: matches, new people, and tracks that may have been confused."""

from __future__ import annotations

from typing import NamedTuple

from posebus.arrays import BoolArray, IndexArray, Int64Array
from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame
from tracking.detections import UsableDetections
from tracking.identities import doubles, initiation, lifecycle
from tracking.matching.continuation import match_continuations
from tracking.matching.moving_picture import match_people
from tracking.matching.one_body import pairs_of_one_body
from tracking.matching.sight import sight_of
from tracking.motion.camera_memory import CameraMemory, Passage
from tracking.second_thoughts.rivals import rivals
from tracking.snapshot import FrameTime, TrackerState
from tracking.tracks import Tracks


class LinkedPeople(NamedTuple):
    """How the detections of a frame continue the tracks.

    matches: (T,) the detection of each track, -1 for none. gone: (T,) mask of the tracks that end with the frame. new:
    detections of new people. confused: (P, 2) ids of tracks that may have been confused. merged: tracks of one body,
    merged or watched. camera: its state after the frame.
    """

    matches: IndexArray
    gone: BoolArray
    new: initiation.NewPeople
    confused: Int64Array
    merged: doubles.Merged
    camera: CameraMemory


def link(
    frame: PoseFrame,
    tracks: Tracks,
    detections: UsableDetections,
    before: TrackerState,
    now: FrameTime,
    passage: Passage,
    settings: TrackerSettings,
) -> LinkedPeople:
    """Link detections to tracks.

    Args:
        frame: the frame.
        tracks: T tracks, predicted to it, which are moved with the picture and widened in place.
        detections: those of the frame.
        before: the state after the frame before.
        now: which frame it is.
        passage: how the picture changed since then.
        settings: those of the tracker.
    """
    last_ns = now.captured_at_ns if before.last is None else before.last.captured_at_ns
    sight = sight_of(tracks, last_ns, now.captured_at_ns, settings)
    found = match_people(tracks, detections, sight, passage, settings)
    matches = found.matches
    pairs = pairs_of_one_body(detections)
    merged = doubles.nothing_merged(len(matches))
    if len(pairs.doubles) or before.watched:
        bodies = doubles.Bodies(pairs.doubles, sight.recent | sight.before, settings.high_score)
        merged = doubles.merge_doubles(before.watched, matches, found.odds, tracks, detections, bodies, now)
    new = initiation.new_people(matches, detections, pairs, settings)
    if len(new.rows):
        follows = (sight.before | sight.recent) & ~merged.ending
        now_ns = now.captured_at_ns
        match_continuations(matches, tracks, detections, follows, ~sight.before, new.rows, frame.size_px, now_ns)
    gone = lifecycle.gone(matches, tracks.state, merged.ending)
    confused = rivals(found.odds, tracks, matches)
    camera = before.camera.followed(frame, passage, found.moved)
    return LinkedPeople(matches, gone, new.without(matches), confused, merged, camera)
