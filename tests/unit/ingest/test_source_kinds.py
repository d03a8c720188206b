from __future__ import annotations

from pathlib import Path

import pytest

from ingest.sources import is_live, open_source, source_kind
from ingest.sources.registry import BUILT_IN
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected, SourceUnavailable


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a.mp4", "file"),
        ("/x/y.avi", "file"),
        ("file:///x/y.avi", "file"),
        ("picture.JPG", "images"),
        ("file:///x/picture.png", "images"),
        ("rtsp://u:p@host/1", "network"),
        ("HTTP://host/x.mjpg", "network"),
        ("http://host/picture.jpg", "network"),
        ("srt://host:9000", "network"),
        ("usb:0", "usb"),
        ("synthetic:bus", "synthetic"),
    ],
)
def test_the_form_of_a_source_determines_its_kind(source: str, kind: str) -> None:
    assert source_kind(CameraSettings(source=source)) == kind


def test_a_folder_is_a_source_of_images(tmp_path: Path) -> None:
    assert source_kind(CameraSettings(source=str(tmp_path))) == "images"


def test_a_configured_kind_takes_precedence_over_the_form() -> None:
    assert source_kind(CameraSettings(source="a.jpg", kind="file")) == "file"


def test_settings_name_every_built_in_kind() -> None:
    assert CameraSettings.model_fields["kind"].examples is not None
    assert set(BUILT_IN) | {"auto"} == set(CameraSettings.model_fields["kind"].examples)


def test_unknown_kind_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(SourceRejected, match="no kind of source 'carrier-pigeon'; known are auto, file, images, netw"):
        is_live(CameraSettings(source="a.mp4", kind="carrier-pigeon"))


@pytest.mark.parametrize(
    ("values", "live"),
    [
        ({"source": "a.mp4"}, False),
        ({"source": "a.mp4", "realtime": True}, True),
        ({"source": "a.mp4", "loop": True}, True),
        ({"source": "a.mp4", "realtime": True, "delivery": "lossless"}, False),
        ({"source": "a.mp4", "delivery": "live"}, True),
        ({"source": "rtsp://x/1"}, True),
        ({"source": "rtsp://x/1", "delivery": "lossless"}, False),
        ({"source": "synthetic:bus"}, True),
        ({"source": "usb:0"}, True),
    ],
)
def test_delivery_follows_from_kind_and_settings(values: dict[str, object], live: bool) -> None:
    assert is_live(CameraSettings(**values)) is live


def test_a_missing_usb_camera_is_unavailable_with_one_sentence() -> None:
    with pytest.raises(SourceUnavailable, match=r"there is no camera /dev/video63; "):
        open_source(CameraSettings(source="usb:63"))


def test_usb_source_that_names_no_camera_is_rejected() -> None:
    with pytest.raises(SourceRejected, match="write usb:0"):
        open_source(CameraSettings(source="usb:front"))
