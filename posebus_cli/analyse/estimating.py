"""The network alone on single pictures, in this process: `posebus image`, and `posebus snapshot` of a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.views import View
    from workers.detections import Detections, ImageArray
    from workers.inference.estimator import PoseEstimator


def views_of(settings: Settings, tiles: str | None) -> list[View]:
    """Return the views at which pictures are inferred, the cheapest first. Raises ConfigError."""
    from posebus.config.policies import AUTO
    from posebus.errors import ConfigError
    from posebus.views import MAX_TILES, View, parse_tiles

    worker = settings.worker
    # Sizes between these would rarely find more, and each takes the engine a moment to set itself up.
    sizes = dict.fromkeys((worker.plain_imgsz, worker.largest_imgsz) if worker.imgsz == AUTO else (worker.plain_imgsz,))
    grid = (1, 1) if tiles is None else parse_tiles(tiles)
    if grid is None:
        raise ConfigError(f"--tiles: must be columns and rows from 1 to {MAX_TILES}, like 2x2, not {tiles}")
    columns, rows = grid
    return [View(imgsz=size, columns=columns, rows=rows) for size in sizes]


def best_view(estimator: PoseEstimator, image_rgb: ImageArray, views: Sequence[View]) -> tuple[View, Detections]:
    """Return the first of `views` that misses the fewest people for their size, with its detections."""

    from tracking.policies.recall import compare_views

    found = [(view, estimator.estimate(image_rgb, view=view)) for view in views]
    size_px = (image_rgb.shape[1], image_rgb.shape[0])
    result = compare_views(0, [(view, one.boxes_xyxy_px, one.scores) for view, one in found], size_px)
    # Rounded, since one more face in a poster is not worth another size.
    return min(found, key=lambda pair: round(result.missed[pair[0]]))


@contextmanager
def loaded_estimator(settings: Settings) -> Iterator[PoseEstimator]:
    from rich.console import Console

    with Console(stderr=True).status("Loading the network (the first time it is exported, which takes longer)"):
        from posebus.config.loading import cache_folder
        from workers.engine_loading import load_engine
        from workers.inference.estimator import PoseEstimator

        engine = load_engine(settings.worker, cache_folder(settings))
    try:
        yield PoseEstimator(engine, settings.worker)
    finally:
        engine.close()
