"""One picture of any source with its people, inferred here: of `posebus snapshot` and `posebus rules draw`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from posebus_cli.analyse.estimating import best_view, loaded_estimator, views_of

if TYPE_CHECKING:
    from posebus.config.settings import CameraSettings, Settings
    from recordings.results.draw import Image
    from recordings.results.video import Style


@dataclass(frozen=True, slots=True)
class SourcePicture:
    """A picture (H, W, 3), BGR, in which people are drawn or heads blurred; `people` are as in the JSON of `image`.

    `size_px` is (width, height) of the source; `view` is how the network saw it.
    """

    image_bgr: Image
    people: list[dict[str, Any]]
    size_px: tuple[int, int]
    captured_at_ns: int
    view: str


def picture_of_source(
    settings: Settings, source: CameraSettings, style: Style, tiles: str | None = None
) -> SourcePicture:
    """Return the sharpest of the first pictures of `source`, with its people shown by `style`. Raises PoseBusError."""
    import cv2

    from recordings.live.sources import look_at
    from recordings.results.pictures import draw_or_blur, people_to_json

    views = views_of(settings, tiles)
    look = look_at(source)
    with loaded_estimator(settings) as estimator:
        view, found = best_view(estimator, cv2.cvtColor(look.image_bgr, cv2.COLOR_BGR2RGB), views)
    people = people_to_json(found)
    draw_or_blur(look.image_bgr, found, style)
    return SourcePicture(look.image_bgr, people, look.size_px, look.captured_at_ns, str(view))
