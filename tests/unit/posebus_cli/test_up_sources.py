"""Arguments of `posebus up`."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus.errors import ConfigError
from posebus_cli.operate.up_sources import cameras_of, file_among
from posebus_cli.options.groups import DeploymentOptions
from posebus_cli.options.settings import followed_from

SECRET = "rtsp://user:secret@192.0.2.1/live"


def test_configuration_file_among_the_sources_stands_for_the_option(tmp_path: Path) -> None:
    path = tmp_path / "cams.YML"
    path.write_text("cameras: {usb0: {source: 'usb:3'}}")
    options, sources = file_among(["usb:0", str(path), SECRET], DeploymentOptions(redis="redis://localhost"))
    assert (options.config, options.redis, sources) == (path, "redis://localhost", ["usb:0", SECRET])

    followed = followed_from(options)
    followed.add({"cameras": cameras_of(sources, followed.settings.cameras)})

    assert {name: camera.source for name, camera in followed.settings.cameras.items()} == {
        "usb0": "usb:3",
        "usb0-2": "usb:0",
        "192.0.2.1": SECRET,
    }


def test_files_that_contradict_each_other_or_are_missing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with pytest.raises(ConfigError, match=r"there is no configuration file .*a\.yaml"):
        file_among([str(path)], DeploymentOptions())
    path.touch()
    with pytest.raises(ConfigError, match=r"are several configuration files"):
        file_among([str(path)], DeploymentOptions(config=Path("b.yaml")))
    assert file_among(["http://192.0.2.1/a.yaml"], DeploymentOptions()) == (
        DeploymentOptions(),
        ["http://192.0.2.1/a.yaml"],
    )


def test_equal_names_are_numbered_past_the_cameras_of_the_file() -> None:
    assert list(cameras_of(["clip.mp4", "clip.mp4", "clip.mp4"], ["clip", "clip-3"])) == ["clip-2", "clip-4", "clip-5"]


def test_recordings_are_played_like_cameras() -> None:
    cameras = cameras_of(["films/my clip.mp4", "films/my clip.mp4", "synthetic:bus?fps=2"], ())
    assert cameras == {
        "my-clip": {"source": "films/my clip.mp4", "realtime": True},
        "my-clip-2": {"source": "films/my clip.mp4", "realtime": True},
        "bus": {"source": "synthetic:bus?fps=2"},
    }
