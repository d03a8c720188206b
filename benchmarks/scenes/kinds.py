"""The settings of a synthetic scene: camera, place, the behaviour of people, detector; and five named kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Pillar:
    """A board on the ground that faces the camera and occludes everything behind it.

    x_m: its middle, to the right of the camera's axis; y_m: distance along the ground; top_m: its height.
    """

    x_m: float
    y_m: float
    width_m: float
    top_m: float


@dataclass(frozen=True, slots=True)
class Detector:
    """The quality of the synthetic detector. The defaults are calibrated, see `benchmarks.scenes.detector`.

    skill: added to the logit of every score. noise: factor of the measured errors of boxes and joints. clutter: factor
    of the measured number of false positives. imgsz: longest side of the network's input, which decides whether distant
    people are found.
    """

    skill: float = 0.0
    noise: float = 1.0
    clutter: float = 1.0
    imgsz: int = 640
    keypoints: bool = True


@dataclass(frozen=True, slots=True)
class SceneKind:
    """One camera and the people before it.

    The camera stands at the origin, camera_height_m above the ground, and looks along y and down by tilt_deg. Its focal
    length is focal_widths times the width of the picture, so that another size_px shows the same view. People walk at
    distances from near_m to far_m, and within half_width_m of the axis where that is given. flow: the direction of
    their ways, `across` the picture, `along` its axis, or `any`. speed_m_s: slowest and fastest. grouped: share of
    people who walk in groups. turns_per_s, stops_per_s: rates at which a group changes its way, or stops. bends: share
    of the stops in which people bend down or crouch. standing: share of people who never walk.

    hand_drawn: truth boxes are steady around the trunk, as annotators draw them, and not around every limb. clipped:
    they end at the picture's border. min_visible: people with a smaller visible part are left out of the truth (0: none
    are, as in MOT15).
    """

    name: str = "street"
    size_px: tuple[int, int] = (640, 480)
    fps: float = 25.0
    seconds: float = 20.0
    people: float = 5.5
    camera_height_m: float = 1.7
    tilt_deg: float = 8.0
    focal_widths: float = 1.1
    near_m: float = 3.2
    far_m: float = 8.0
    half_width_m: float | None = None
    flow: Literal["across", "along", "any"] = "across"
    speed_m_s: tuple[float, float] = (0.8, 1.7)
    grouped: float = 0.35
    turns_per_s: float = 0.02
    stops_per_s: float = 0.02
    bends: float = 0.0
    standing: float = 0.06
    pillars: tuple[Pillar, ...] = ()
    hand_drawn: bool = True
    clipped: bool = True
    min_visible: float = 0.0
    detector: Detector = field(default_factory=Detector)

    def network_px(self) -> float:
        """Pixels of the network's input per pixel of the picture."""
        return self.detector.imgsz / max(self.size_px)


STREET = SceneKind()

PLAZA = SceneKind(
    name="plaza",
    size_px=(768, 576),
    fps=7.0,
    seconds=60.0,
    people=8.0,
    camera_height_m=10.0,
    tilt_deg=13.0,
    focal_widths=1.3,
    near_m=18.0,
    far_m=42.0,
    flow="any",
    grouped=0.5,
    turns_per_s=0.06,
    stops_per_s=0.03,
    standing=0.1,
    pillars=(Pillar(0.5, 23.0, 0.9, 6.0),),
    detector=Detector(imgsz=1920, clutter=0.3),
)

CORRIDOR = SceneKind(
    name="corridor",
    size_px=(1280, 720),
    fps=20.0,
    seconds=30.0,
    people=6.0,
    camera_height_m=2.6,
    tilt_deg=12.0,
    focal_widths=0.75,
    near_m=1.5,
    far_m=22.0,
    half_width_m=1.8,
    flow="along",
    turns_per_s=0.01,
    stops_per_s=0.01,
    detector=Detector(imgsz=1920),
)

SHOP = SceneKind(
    name="shop",
    size_px=(1280, 720),
    fps=15.0,
    seconds=40.0,
    people=6.0,
    camera_height_m=3.0,
    tilt_deg=22.0,
    focal_widths=0.7,
    near_m=2.5,
    far_m=11.0,
    half_width_m=5.0,
    flow="any",
    speed_m_s=(0.5, 1.2),
    turns_per_s=0.15,
    stops_per_s=0.15,
    bends=0.4,
    pillars=(Pillar(-1.8, 5.0, 2.2, 1.1), Pillar(2.0, 7.0, 2.5, 1.4)),
    detector=Detector(imgsz=1280),
)

RUNNERS = SceneKind(
    name="runners",
    size_px=(1280, 720),
    fps=30.0,
    seconds=20.0,
    people=6.0,
    camera_height_m=1.8,
    tilt_deg=4.0,
    focal_widths=0.9,
    near_m=5.0,
    far_m=12.0,
    speed_m_s=(3.0, 5.0),
    grouped=0.5,
    turns_per_s=0.0,
    stops_per_s=0.0,
    standing=0.0,
    detector=Detector(imgsz=1280),
)

KINDS = {kind.name: kind for kind in (STREET, PLAZA, CORRIDOR, SHOP, RUNNERS)}
