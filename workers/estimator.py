"""Pictures in, people in source pixels out, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from posebus.settings import WorkerSettings
from workers.arrays import Detections, ImageArray
from workers.engines.base import Engine
from workers.picture import Picture
from workers.preprocess import Letterbox


class PoseEstimator:
    """One engine with the sizes that pictures enter it at. `prepare` may be called by many threads."""

    def __init__(self, engine: Engine, settings: WorkerSettings) -> None:
        self.engine = engine
        self._settings = settings

    def fit(self, image_size_px: tuple[int, int]) -> Letterbox:
        """How a picture of this (width, height) enters the network; pictures of equal `input_px` share a batch."""
        return Letterbox.fit(image_size_px, self._settings.plain_imgsz, self.engine.head.stride)

    def prepare(self, picture: Picture) -> tuple[Any, Letterbox]:
        """See `Engine.prepare`; what `submit` needs, and how the picture enters the network. Raises BadPicture."""
        fit = self.fit(picture.size_px)
        return self.engine.prepare(picture, fit), fit

    def submit(self, prepared: Sequence[Any], *, hurry: bool = False) -> Future[list[Detections]]:
        """See `Engine.submit`; the people are in pixels of the network's input."""
        return self.engine.submit(prepared, hurry=hurry)

    def estimate(self, image_rgb: ImageArray, *, hurry: bool = False) -> Detections:
        """The people in one picture, u8 (H, W, 3), in its own pixels."""
        picture = Picture.of(image_rgb)
        prepared, fit = self.prepare(picture)
        (people,) = self.submit([prepared], hurry=hurry).result()
        return fit.people_to_source(people, picture.size_px)

    def blank(self, image_size_px: tuple[int, int]) -> Any:
        """What `submit` needs of a black picture of this (width, height)."""
        width_px, height_px = image_size_px
        prepared, _ = self.prepare(Picture.of(np.zeros((height_px, width_px, 3), np.uint8)))
        return prepared

    def warm_up(self, image_size_px: tuple[int, int]) -> None:
        """Set the engine up for pictures of this (width, height), which takes a moment for each new shape, and on a GPU
        for each new batch size."""
        prepared = self.blank(image_size_px)
        frames = 1
        while frames < self.engine.batch:
            self.submit([prepared] * frames).result()
            frames *= 2
        self.submit([prepared] * self.engine.batch).result()
