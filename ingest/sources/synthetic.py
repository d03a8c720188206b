"""A synthetic camera: a window that pans slowly over the pictures of people that ultralytics ships.

`synthetic:bus` (4 people) and `synthetic:zidane` (2), with options as in an address:
`synthetic:bus?fps=15&width=640&height=480&seed=1`. A picture depends on its capture time alone, so a frame can be
drawn again from its time. Cameras with different seeds do not take their pictures at the same moment.
"""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import cv2
import numpy as np

from ingest.sources.base import Admit, CapturedImage, SourceSpec
from ingest.sources.decoding.pixels import BgrImage, RowsImage
from ingest.sources.images import read_picture
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected
from posebus.messages import CaptureClock

PREFIX = "synthetic:"
SCENES = {"bus": "bus.jpg", "zidane": "zidane.jpg"}
DEFAULT_FPS = 15.0
GOLDEN_RATIO = 0.381966
"""Phases that are multiples of it are spread evenly for any number of cameras."""
PERIOD_S = (20.0, 27.0)
"""Periods of the horizontal and the vertical pan: slow and unequal, so that the path does not repeat soon."""
WINDOW_SHARE = 0.92
"""Part of the largest window of the wanted shape that is shown; the rest is room for panning."""
VERTICAL_SHARE = 0.5
"""Part of the vertical room that is used, so that the people stay in the picture."""


@dataclass(frozen=True, slots=True)
class SyntheticSpec:
    """The parsed form of `synthetic:NAME?options`. `seed` shifts the phases of pan and ticks."""

    scene: str
    fps: float = DEFAULT_FPS
    width: int = 640
    height: int = 480
    seed: int = 0


def parse_spec(source: str) -> SyntheticSpec:
    """Return the spec in `source`; raises SourceRejected for an unknown name, option or value."""
    scene, _, query = source.removeprefix(PREFIX).partition("?")
    if scene not in SCENES:
        raise SourceRejected(f"there is no synthetic camera {scene!r}; known are {', '.join(sorted(SCENES))}")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(options.keys() - {"fps", "width", "height", "seed"}):
        raise SourceRejected(f"{source} has the unknown option {unknown[0]!r}; known are fps, height, seed, width")
    try:
        fps = float(options.get("fps", DEFAULT_FPS))
        width, height = int(options.get("width", 640)), int(options.get("height", 480))
        spec = SyntheticSpec(scene, fps, width, height, seed=int(options.get("seed", 0)))
    except ValueError as error:
        raise SourceRejected(f"{source} has an option that is no number") from error
    if not (0.1 <= spec.fps <= 240 and 64 <= spec.width <= 4096 and 64 <= spec.height <= 4096):
        raise SourceRejected(f"{source} is out of range: fps 0.1 to 240, width and height 64 to 4096")
    return spec


class SyntheticScene:
    """The moving window. It keeps the whole scene in memory."""

    def __init__(self, spec: SyntheticSpec) -> None:
        """Raises SourceRejected if ultralytics is not installed."""
        self._spec = spec
        self._scene = read_picture(_assets_folder() / SCENES[spec.scene])
        height, width = self._scene.shape[:2]
        self._zoom = WINDOW_SHARE * min(width / spec.width, height / spec.height)
        self._room_x_px = width - spec.width * self._zoom
        self._room_y_px = height - spec.height * self._zoom

    def render(self, captured_at_ns: int) -> BgrImage:
        """Return the picture (height, width, 3) of this capture time (Unix ns); it is the same for the same time."""
        left_px = self._room_x_px * (0.5 + 0.5 * self._wave(captured_at_ns, PERIOD_S[0]))
        top_px = self._room_y_px * (0.5 + 0.5 * VERTICAL_SHARE * self._wave(captured_at_ns, PERIOD_S[1]))
        window = np.array([[self._zoom, 0.0, left_px], [0.0, self._zoom, top_px]])
        image: BgrImage = cv2.warpAffine(
            self._scene,
            window,
            (self._spec.width, self._spec.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return image

    def _wave(self, captured_at_ns: int, period_s: float) -> float:
        period_ns = round(period_s * 1e9)
        phase = (captured_at_ns % period_ns) / period_ns  # modulo first: as a float, 1.7e18 ns is too coarse
        return math.sin(2 * math.pi * (phase + GOLDEN_RATIO * self._spec.seed))


class SyntheticSource:
    """A live `SyntheticScene`: one picture at each tick of the wall clock; missed ticks are not made up for."""

    live = True
    frame_count: int | None = None
    warning: str | None = None
    lost = 0

    def __init__(
        self,
        spec: SyntheticSpec,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        """The clocks can be replaced in tests. The wall clock is read once, so that its steps have no effect."""
        self.scene = SyntheticScene(spec)
        self.fps: float | None = spec.fps
        self._interval_ns = round(1e9 / spec.fps)
        self._monotonic_ns = monotonic_ns
        self._sleep_s = sleep_s
        self._wall_minus_monotonic_ns = wall_ns() - monotonic_ns()
        self._phase_ns = round(self._interval_ns * (GOLDEN_RATIO * spec.seed % 1))
        self._last_tick = self._ticks()

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`; waits for the next tick. Never ends."""
        while True:
            tick = max(self._last_tick + 1, self._ticks())
            captured_at_ns = tick * self._interval_ns + self._phase_ns
            wait_ns = captured_at_ns - self._now_ns()
            if wait_ns > 0:
                self._sleep_s(wait_ns / 1e9)
            self._last_tick = tick
            if admit is None or admit(captured_at_ns):
                return CapturedImage(RowsImage(self.scene.render(captured_at_ns)), captured_at_ns, CaptureClock.ARRIVAL)

    def close(self) -> None:
        """See `Source.close`; nothing is open."""

    def _ticks(self) -> int:
        return (self._now_ns() - self._phase_ns) // self._interval_ns

    def _now_ns(self) -> int:
        return self._monotonic_ns() + self._wall_minus_monotonic_ns


def open_synthetic(settings: CameraSettings, *, live: bool) -> SyntheticSource:
    """Open the synthetic camera that `settings.source` names; it is always live, so `live` is ignored."""
    return SyntheticSource(parse_spec(settings.source))


def check_synthetic(settings: CameraSettings) -> None:
    """Raise SourceRejected for an unknown scene or option, or if its pictures are not installed."""
    parse_spec(settings.source)
    _assets_folder()


SPEC = SourceSpec(
    kind="synthetic",
    recognises=lambda source: source.startswith(PREFIX),
    open=open_synthetic,
    check=check_synthetic,
)


def _assets_folder() -> Path:
    """Return the folder of pictures in the installed ultralytics, without importing it, which takes seconds."""
    spec = importlib.util.find_spec("ultralytics")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        assets = Path(folder) / "assets"
        if all((assets / name).is_file() for name in SCENES.values()):
            return assets
    raise SourceRejected(
        "synthetic cameras show pictures that come with ultralytics; install it: pip install ultralytics"
    )
