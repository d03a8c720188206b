"""After the warm-up no camera waits for the compiler."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from unit.tracking.moving import seen, shift, zoom
from unit.tracking.scenes import crowd, dressed, pose_frame, run

import tracking
from posebus.messages import PoseFrame
from tracking import PoseTracker
from tracking.warm_up import warm_up


def kernels() -> dict[str, Any]:
    """All compiled functions of the package, by name."""
    found = [module.name for module in pkgutil.walk_packages(tracking.__path__, "tracking.")]
    modules = [importlib.import_module(name) for name in found if not name.endswith(".__main__")]
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if hasattr(value, "signatures")
    }


def as_received(frame: PoseFrame) -> PoseFrame:
    """The frame with read-only arrays, as they are views of the bytes of a message."""
    names = ("boxes_xyxy_px", "scores", "keypoints_px", "appearance")
    return replace(frame, **{name: frozen(getattr(frame, name)) for name in names})


def frozen(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else np.frombuffer(values.tobytes(), values.dtype).reshape(values.shape)


def frames_of_all_kinds() -> Iterator[list[PoseFrame]]:
    frames = crowd(np.random.default_rng(0), 12, 80)
    yield frames
    yield [as_received(dressed(frame, [seq % 5 for seq in range(len(frame.scores))])) for frame in frames]
    yield [replace(frame, keypoints_px=None) for frame in frames]
    yield [seen(frame, shift(40.0 * (frame.seq % 3))) for frame in frames]
    yield [seen(dressed(frame, [0] * len(frame.scores)), zoom(1.01**frame.seq), announced=True) for frame in frames]
    yield [
        pose_frame([box for box in frame.boxes_xyxy_px for _ in range(2)], frame.seq, frame.seq / 20)
        for frame in frames
    ]
    yield [replace(frame, boxes_xyxy_px=frame.boxes_xyxy_px[::-1], scores=frame.scores[::-1]) for frame in frames]


def test_no_kernel_is_compiled_after_the_warm_up() -> None:
    warm_up()
    before = {name: len(kernel.signatures) for name, kernel in kernels().items()}
    assert len(before) > 10
    for frames in frames_of_all_kinds():
        tracker = PoseTracker()
        run(frames[:40], tracker)
        tracker.load_state(tracker.state_dict())
        run(frames[40:], tracker)
    assert {name: len(kernel.signatures) for name, kernel in kernels().items()} == before
