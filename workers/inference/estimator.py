"""From pictures to detections in the pictures' own pixels, over any engine."""

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
from workers.images.tile_merging import people_of_view
from workers.images.tiling import ViewPlan, cut_tiles, decode_for, plan_view


class PoseEstimator:
    """An engine together with the settings that decide how pictures enter it. Any thread may call `prepare`."""

    def __init__(self, engine: Engine, settings: WorkerSettings) -> None:
        self.engine = engine
        self._settings = settings

    def view_plans(self, image_size_px: tuple[int, int], views: Sequence[View] = ()) -> tuple[ViewPlan, ...]:
        """Return how a picture of this (width, height) enters the network: once for each of `views`, or as set."""
        stride = self.engine.head.stride
        return tuple(plan_view(image_size_px, view, stride) for view in views or (View(self._settings.plain_imgsz),))

    def fit(self, image_size_px: tuple[int, int]) -> Letterbox:
        """Return how a whole picture of this (width, height) enters the network with the worker's own settings.

        Pictures whose fits have equal `input_px` can share a batch.
        """
        (plan,) = self.view_plans(image_size_px)
        return plan.tiles[0].fit

    def prepare(self, picture: Picture, plans: Sequence[ViewPlan] = (), *, live: bool = False) -> list[Any]:
        """Return the engine's inputs for all tiles of `plans`, in their order; see `Engine.prepare`.

        `live`: whether the picture is of a live camera. Where the settings say so (`WorkerSettings.enhances`), a
        degraded picture is enhanced first, see `picture.degradation`. Raises BadPicture.
        """
        plans = plans or self.view_plans(picture.size_px)
        rows_rgb = decode_for(picture, plans)
        if self._settings.enhances(live=live):
            picture.degradation = assess(rows_rgb)
            if picture.degradation is not None:
                picture = picture.changed(enhanced(rows_rgb, picture.degradation))
        return [
            self.engine.prepare(piece, tile.fit)
            for plan in plans
            for piece, tile in zip(cut_tiles(picture, plan), plan.tiles, strict=True)
        ]

    def submit(self, prepared: Sequence[Any], *, low_latency: bool = False) -> Future[list[Detections]]:
        """See `Engine.submit`; the detections are in pixels of the network's input."""
        return self.engine.submit(prepared, low_latency=low_latency)

    def estimate(self, image_rgb: ImageArray, *, low_latency: bool = False, view: View | None = None) -> Detections:
        """Return the people in one picture, u8 (H, W, 3), in its own pixels."""
        picture = Picture.of(image_rgb)
        (plan,) = plans = self.view_plans(picture.size_px, () if view is None else (view,))
        futures = [self.submit([prepared], low_latency=low_latency) for prepared in self.prepare(picture, plans)]
        found = [future.result()[0] for future in futures]
        return people_of_view(plan, found, picture.size_px, self._settings.max_people)

    def blank(self, fit: Letterbox) -> Any:
        """Return the engine's input for a black picture that enters the network by `fit`."""
        width_px, height_px = fit.image_size_px
        return self.engine.prepare(Picture.of(np.zeros((height_px, width_px, 3), np.uint8)), fit)

    def warm_up(self, image_size_px: tuple[int, int]) -> list[Letterbox]:
        """Set the engine up for pictures of this (width, height), and return how they enter the network.

        Each new shape takes a moment, and on a GPU each new batch size, too. With `imgsz: auto` this includes the sizes
        at which a camera's first frame is probed; most cameras never need the others.
        """
        auto = self._settings.imgsz == AUTO
        views = Policies(AUTO, self._settings.imgsz_max).first().probe if auto else ()
        fits = [plan_view(image_size_px, view, self.engine.head.stride).tiles[0].fit for view in views]
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
