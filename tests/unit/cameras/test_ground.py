"""The setting `ground`: which points it takes, and why it refuses others."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
import yaml

from posebus.bus.registry import CameraRecord, camera_value, read_record
from posebus.config.cameras.ground import GroundSettings
from posebus.config.loading import load_settings
from posebus.config.settings import CameraSettings
from posebus.errors import ConfigError, MalformedMessage
from posebus.messages import Delivery

POINTS = [[100, 700], [1180, 700], [800, 300], [480, 300]]
METRES = [[0, 0], [4, 0], [4, 9], [0, 9]]
GROUND = {"points": POINTS, "metres": METRES}


def problem(folder: Path, ground: object) -> str:
    """What the configuration says about a camera with this ground plane."""
    config = folder / "posebus.yaml"
    config.write_text(yaml.safe_dump({"cameras": {"yard": {"source": "yard.mp4", "ground": ground}}}, sort_keys=False))
    with pytest.raises(ConfigError) as refused:
        load_settings(config, {}, {})
    return str(refused.value).replace(str(folder), "")


def test_settings_keep_a_ground_plane_when_they_are_written_and_read_again() -> None:
    camera = CameraSettings(source="x", ground={**GROUND, "floor_size_m": [4, 9]})
    assert CameraSettings.model_validate(camera.model_dump(mode="json")) == camera
    assert camera.ground is not None
    assert camera.ground.floor_size_m == (4.0, 9.0)


def test_the_environment_gives_a_ground_plane_as_json() -> None:
    environ = {
        "POSEBUS_CAMERAS__YARD__SOURCE": "yard.mp4",
        "POSEBUS_CAMERAS__YARD__GROUND": '{"points": [[0, 1], [1, 1], [0.7, 0.4], [0.3, 0.4]], "metres": '
        "[[0, 0], [4, 0], [4, 9], [0, 9]]}",
    }
    ground = load_settings(None, environ, {}).cameras["yard"].ground
    assert ground is not None
    assert ground.in_fractions


@pytest.mark.parametrize("value", [7, [], "text", [POINTS, METRES]])
def test_a_ground_plane_must_be_a_mapping(tmp_path: Path, value: object) -> None:
    assert "yard.ground: must" in problem(tmp_path, value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"points": POINTS[:3]}, "ground.points: must be a list of 4 points [x, y], not 3"),
        ({"points": [*POINTS, [1, 1]]}, "must be a list of 4 points [x, y], not 5"),
        ({"points": 7}, "must be a list of 4 points [x, y]"),
        ({"points": [[1, 2, 3], *POINTS[1:]]}, "must have two numbers for each point; point 1 has not"),
        ({"points": [*POINTS[:3], ["a", 2]]}, "must have two numbers for each point; point 4 has not"),
        ({"points": [[-1, 2], *POINTS[1:]]}, "must be from 0 to 100000 pixels; point 1 is not"),
        ({"metres": [[0, 20_000], *METRES[1:]]}, "must be from -10000 to 10000 metres; point 1 is not"),
        ({"metres": [[0, float("nan")], *METRES[1:]]}, "must have two numbers for each point; point 1 has not"),
        ({"points": [[0, 700], [100, 700], [800, 700], [480, 300]]}, "points 1, 2 and 3 are on one line"),
        ({"metres": [[0, 0], [4, 0], [4, 9], [4, 4]]}, "metres 2, 3 and 4 are on one line"),
        ({"metres": [[0, 0], [4, 0], [0, 9], [4, 9]]}, "exchange 1 and 2 in one of the lists"),
        ({"metres": [[0, 0], [4, 0], [4, 9], [3, 1]]}, "points and metres must be the same four places"),
        ({"floor_size_m": [4, 0]}, "ground.floor_size_m"),
        ({"metre": METRES}, "ground.metre: there is no such field"),
    ],
)
def test_what_is_no_ground_plane_is_refused_with_place_and_reason(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    found = problem(tmp_path, {**GROUND, **change})
    assert said in found
    assert found.startswith("/posebus.yaml:")
    assert "\n" not in found


def test_of_all_orders_of_the_four_places_only_those_that_a_camera_can_see_are_taken() -> None:
    taken = []
    for order in permutations(range(4)):
        try:
            taken.append(GroundSettings(points=POINTS, metres=[METRES[place] for place in order]))
        except ValueError:
            continue
    assert len(taken) == 8  # four first corners, two ways around


def test_the_registry_carries_the_ground_plane_to_the_tracker() -> None:
    record = CameraRecord("door", Delivery.LIVE, "network", ground=GroundSettings(**GROUND))
    assert read_record("door", camera_value(record).encode()) == record
    assert b"ground" not in camera_value(CameraRecord("door", Delivery.LIVE, "network")).encode()
    for wrong in ("7", "[]", '{"points": [[0, 0]], "metres": 3}'):
        with pytest.raises(MalformedMessage):
            read_record("door", b'{"delivery": "live", "source": "file", "ground": ' + wrong.encode() + b"}")
