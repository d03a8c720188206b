"""A package of another author adds a kind of source: it is installed as users install it, and a camera runs on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.loading import dump_settings
from posebus.config.settings import CameraSettings, Settings, WorkerSettings
from posebus.contract.codec import decode_frame
from posebus.messages import EndOfStream, Frame
from posebus.runtime.embedded import EmbeddedBroker
from tests.conftest import ROOT
from tests.integration.installed_package import install

PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "example-sources"
version = "2.1"

[project.entry-points."posebus.sources"]
counter = "example_sources:counter_spec"
broken = "example_sources.broken:SPEC"

[tool.setuptools]
packages = ["example_sources"]
"""

MODULE = '''
"""Pictures that count up: `counter:5` gives five of them."""

import numpy as np

from ingest.sources import CapturedImage, RowsImage, SourceSpec
from posebus.messages import CaptureClock


class CounterSource:
    live = False
    fps = 10.0
    warning = None
    lost = 0

    def __init__(self, count):
        self.frame_count = count
        self._next = 0

    def read(self, admit=None):
        while self._next < self.frame_count:
            number, self._next = self._next, self._next + 1
            if admit is None or admit(number * 100_000_000):
                rows = np.full((48, 64, 3), number, np.uint8)
                return CapturedImage(RowsImage(rows), number * 100_000_000, CaptureClock.FILE)
        return None

    def close(self):
        pass


def open_counter(settings, *, live):
    return CounterSource(int(settings.source.removeprefix("counter:")))


def counter_spec():
    return SourceSpec("counter", lambda source: source.startswith("counter:"), open_counter, recorded=True)
'''

RUN_CAMERA = """
import logging, pathlib, sys
from ingest.process import CaptureOptions, run_camera
from posebus.config.loading import load_settings
from posebus.errors import FatalError

logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
try:
    run_camera(load_settings(pathlib.Path(sys.argv[1]), {}, {}), "door", CaptureOptions(must_exist=True))
except FatalError as error:
    raise SystemExit(str(error))
"""


@pytest.fixture(scope="module")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the package was installed."""
    project = tmp_path_factory.mktemp("example-sources")
    (project / "pyproject.toml").write_text(PYPROJECT)
    package = project / "example_sources"
    package.mkdir()
    (package / "__init__.py").write_text(MODULE)
    (package / "broken.py").write_text("raise RuntimeError('the licence has expired')\n")
    return install(project, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with EmbeddedBroker() as url:
        yield url


@pytest.fixture
def broker(broker_url: str) -> Broker:
    broker = open_broker(broker_url)
    broker.client.flushall()
    return broker


def run_camera(camera: CameraSettings, url: str, folder: Path, plugins: Path) -> subprocess.CompletedProcess[str]:
    """Run the camera `door` to its end in a process that has the installed package on its path."""
    config = folder / "posebus.yaml"
    # At a fixed size, since no tracker runs here that would choose one.
    dump_settings(Settings(redis=url, cameras={"door": camera}, worker=WorkerSettings(imgsz=1280)), config)
    return subprocess.run(
        [sys.executable, "-c", RUN_CAMERA, str(config)],
        cwd=ROOT,
        env={"PYTHONPATH": str(plugins), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def published(broker: Broker) -> list[Frame | EndOfStream]:
    return [decode_frame(fields) for _, fields in broker.client.xrange(broker.topology.frames("door"))]


@pytest.mark.parametrize("kind", ["counter", "auto"])
def test_camera_of_a_kind_from_an_installed_package_is_published_whole(
    kind: str, broker: Broker, broker_url: str, tmp_path: Path, plugin_folder: Path
) -> None:
    camera = CameraSettings(source="counter:5", kind=kind, encoding="raw")

    done = run_camera(camera, broker_url, tmp_path, plugin_folder)

    assert done.returncode == 0, done.stderr
    items = published(broker)
    assert [item.data[0] for item in items if isinstance(item, Frame)] == [0, 1, 2, 3, 4]
    assert isinstance(items[-1], EndOfStream)
    assert [record.source for record in Registry(broker).cameras()] == ["counter"]


def test_broken_package_is_logged_once_and_cameras_of_other_kinds_work(
    broker: Broker, broker_url: str, tmp_path: Path, plugin_folder: Path
) -> None:
    camera = CameraSettings(source="nowhere.png")

    done = run_camera(camera, broker_url, tmp_path, plugin_folder)

    (line,) = [line for line in done.stderr.splitlines() if "licence" in line]
    assert line.startswith("ERROR sources of the kind 'broken' are not available: the plug-in broken = ")
    assert "of the package example-sources 2.1 cannot be loaded: RuntimeError: the licence has expired" in line
    assert "there is no file nowhere.png" in done.stderr.splitlines()[-1]


def test_camera_of_a_broken_kind_stops_with_one_sentence(
    broker: Broker, broker_url: str, tmp_path: Path, plugin_folder: Path
) -> None:
    done = run_camera(CameraSettings(source="x", kind="broken"), broker_url, tmp_path, plugin_folder)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "the plug-in broken = example_sources.broken:SPEC (posebus.sources) of the package example-sources 2.1 cannot "
        "be loaded: RuntimeError: the licence has expired"
    ]


def test_unknown_kind_is_refused_with_the_kinds_of_installed_packages(
    broker: Broker, broker_url: str, tmp_path: Path, plugin_folder: Path
) -> None:
    done = run_camera(CameraSettings(source="x", kind="pigeon"), broker_url, tmp_path, plugin_folder)

    assert done.returncode == 1
    known = "auto, broken, counter, file, images, network, synthetic, usb"
    assert f"there is no kind of source 'pigeon'; known are {known}." in done.stderr
