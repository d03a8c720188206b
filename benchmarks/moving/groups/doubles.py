"""Scenes in which a network detects one body twice: its upper half and the whole of it, or the same twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from benchmarks.moving.actors import Actor, stops
from benchmarks.moving.film import World, filmed
from benchmarks.moving.take import Scene, Take
from benchmarks.scenes.bodies import JOINTS
from posebus.messages import PoseFrame

When = Literal["in the first frame", "in each frame", "in every third frame"]
Kind = Literal["upper half", "equal"]

FPS, SECONDS = 10.0, 6.0
SCORES = (0.6, 0.35, 0.9, 0.45, 0.75)
"""Scores of the second detection; takes alternate between them."""

HALF = 0.55
"""The part of the box that the upper half fills: an IoU of 0.55 with the whole."""

LEGS = slice(11, JOINTS)
UNSURE = 0.15
"""Confidence of the legs in the upper half."""

EQUAL_SHIFT = 0.06
"""Deviation of the sides of an equal box, in widths of the body: an IoU around 0.8."""


def doubled(kind: Kind, when: When, seed: int) -> Take:
    """Three people who walk and stand, each detected twice."""
    rng = np.random.default_rng([seed, 31])
    people = []
    for x_m in (-3.0, 0.0, 3.0):
        begin, y_m = x_m + rng.uniform(-0.5, 0.5), rng.uniform(8.5, 10.5)
        stop_s, further = rng.uniform(2.0, 4.0), rng.uniform(-1.2, 1.2)
        way = stops((0, stop_s, SECONDS), (begin, begin + further, begin + further), (y_m,) * 3)
        people.append(Actor(way, height_m=rng.uniform(1.6, 1.9), phase=rng.uniform(0, 6.0), look=rng.uniform(-3, 3)))
    film = filmed(people, World(FPS, SECONDS), seed)
    score = SCORES[seed % len(SCORES)]
    frames = [with_doubles(frame, kind, score, rng) if _happens(when, frame.seq) else frame for frame in film.frames]
    return Take(replace(film, frames=frames), FPS)


def with_doubles(frame: PoseFrame, kind: Kind, score: float, rng: np.random.Generator) -> PoseFrame:
    """The frame with a second detection, of that score, of each one in it."""
    assert frame.keypoints_px is not None
    boxes, joints = frame.boxes_xyxy_px.copy(), frame.keypoints_px.copy()
    wide, high = (boxes[:, 2:] - boxes[:, :2]).T
    if kind == "upper half":
        boxes[:, 3] = boxes[:, 1] + HALF * high
        joints[:, LEGS, 2] = np.minimum(joints[:, LEGS, 2], UNSURE)
        boxes += rng.normal(0, 0.01, boxes.shape) * high[:, None]
    else:
        boxes += rng.normal(0, EQUAL_SHIFT, boxes.shape) * wide[:, None]
    joints[..., :2] += rng.normal(0, 0.005, joints[..., :2].shape) * high[:, None, None]
    size = np.tile(frame.size_px, 2)
    return replace(
        frame,
        boxes_xyxy_px=np.concatenate([frame.boxes_xyxy_px, np.clip(boxes, 0, size)]).astype(np.float32),
        scores=np.concatenate([frame.scores, np.full(len(boxes), score)]).astype(np.float32),
        keypoints_px=np.concatenate([frame.keypoints_px, joints]).astype(np.float32),
    )


def _happens(when: When, seq: int) -> bool:
    return seq == 0 if when == "in the first frame" else when == "in each frame" or seq % 3 == 0


KINDS: tuple[Kind, ...] = ("upper half", "equal")
TIMES: tuple[When, ...] = ("in the first frame", "in each frame", "in every third frame")

SCENES = tuple(Scene("doubles", f"{kind} {when}", partial(doubled, kind, when)) for kind in KINDS for when in TIMES)
