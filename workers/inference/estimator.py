"""Pictures in, people in source pixels out, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from posebus.config.policies import AUTO, Policies
from posebus.config.settings import WorkerSettings
from posebus.views import View
from workers.detections import Detections, ImageArray
from workers.engines.base import Engine
from workers.images.enhance import assess, enhanced
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.images.tile_merging import people_of_look
from workers.images.tiling import Look, cut, decoded, look_of


class PoseEstimator:
    """One engine with the sizes that pictures enter it at. `prepare` may be called by many threads."""

    def __init__(self, engine: Engine, settings: WorkerSettings) -> None:
        self.engine = engine
        self._settings = settings

    def looks(self, image_size_px: tuple[int, int], views: Sequence[View] = ()) -> tuple[Look, ...]:
        """How a picture of this (width, height) enters the network: by each of `views`, or as the settings say."""
        stride = self.engine.head.stride
        return tuple(look_of(image_size_px, view, stride) for view in views or (View(self._settings.plain_imgsz),))

    def fit(self, image_size_px: tuple[int, int]) -> Letterbox:
        """How a picture of this (width, height) enters the network as a whole, where nothing else is said; what has
        equal `input_px` shares a batch."""
        (look,) = self.looks(image_size_px)
        return look.parts[0].fit

    def prepare(self, picture: Picture, looks: Sequence[Look] = ()) -> list[Any]:
        """See `Engine.prepare`; what `submit` needs of all parts of `looks`, in their order. Raises BadPicture."""
        looks = looks or self.looks(picture.size_px)
        rows_rgb = decoded(picture, looks)
        if self._settings.enhance == AUTO:
            picture.need = assess(rows_rgb)
            if picture.need is not None:
                picture = picture.changed(enhanced(rows_rgb, picture.need))
        pieces = [(piece, part) for look in looks for piece, part in zip(cut(picture, look), look.parts, strict=True)]
        return [self.engine.prepare(piece, part.fit) for piece, part in pieces]

    def submit(self, prepared: Sequence[Any], *, hurry: bool = False) -> Future[list[Detections]]:
        """See `Engine.submit`; the people are in pixels of the network's input."""
        return self.engine.submit(prepared, hurry=hurry)

    def estimate(self, image_rgb: ImageArray, *, hurry: bool = False, view: View | None = None) -> Detections:
        """The people in one picture, u8 (H, W, 3), in its own pixels."""
        picture = Picture.of(image_rgb)
        (look,) = looks = self.looks(picture.size_px, () if view is None else (view,))
        futures = [self.submit([prepared], hurry=hurry) for prepared in self.prepare(picture, looks)]
        found = [future.result()[0] for future in futures]
        return people_of_look(look, found, picture.size_px, self._settings.max_people)

    def blank(self, fit: Letterbox) -> Any:
        """What `submit` needs of a black picture that enters the network so."""
        width_px, height_px = fit.image_size_px
        return self.engine.prepare(Picture.of(np.zeros((height_px, width_px, 3), np.uint8)), fit)

    def warm_up(self, image_size_px: tuple[int, int]) -> list[Letterbox]:
        """Set the engine up for pictures of this (width, height), which takes a moment for each new shape, and on a GPU
        for each new batch size. With `imgsz: auto` for all sizes: a camera's first frame is measured at each, alone.

        Returns how they enter the network.
        """
        auto = self._settings.imgsz == AUTO
        sizes = Policies(AUTO, self._settings.imgsz_max).sizes if auto else ()
        fits = [look_of(image_size_px, View(size), self.engine.head.stride).parts[0].fit for size in sizes]
        for fit in fits:
            self.submit([self.blank(fit)]).result()
        plain = self.fit(image_size_px)
        prepared = self.blank(plain)
        frames = 1
        while frames < self.engine.batch:
            self.submit([prepared] * frames).result()
            frames *= 2
        self.submit([prepared] * self.engine.batch).result()
        return [*fits, plain]
