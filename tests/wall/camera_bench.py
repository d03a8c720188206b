"""A wall with a worker and a tracker for tests of browsers as cameras, and a clip that chromium plays as its camera."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from posebus.config.settings import Settings
from tests.conftest import missing
from tests.wall.conftest import ARGUMENTS
from tests.wall.serving import served
from wall.app import application
from wall.browser_camera.ort_package import FILES, NAME, VERSION
from wall.context import WallContext


@contextmanager
def served_wall(redis: str, cache: Path) -> Iterator[str]:
    """The address of a wall in this process, which makes the network for browsers in `cache`."""
    context = WallContext(Settings(redis=redis, cache_dir=cache))
    with served(application(context)) as address:
        yield address


def put_ort_files(node_modules: Path, cache: Path) -> None:
    """Put the files of onnxruntime-web, as npm has installed them, where the wall looks for them."""
    folder = cache / "browser" / f"{NAME}-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(node_modules / NAME / "dist" / name, folder / name)


def street_clip(shared_data: Path, target: Path) -> Path:
    """Three seconds of a street with people, in the only format that chromium plays as a camera."""
    program = shutil.which("ffmpeg")
    if program is None:
        missing("ffmpeg is not installed (on Debian: apt install ffmpeg)")
    source = shared_data / "TUD-Stadtmitte.mp4"
    command = [str(program), "-v", "error", "-y", "-i", str(source), "-t", "3", "-r", "10", "-q:v", "5", str(target)]
    subprocess.run(command, check=True)
    return target


@contextmanager
def with_camera(browser: Browser, chromium: str, clip: Path | None, *, allowed: bool = True) -> Iterator[Browser]:
    """A browser whose camera plays `clip`; without one it has no camera. Without `allowed`, its question stays open."""
    arguments = list(ARGUMENTS)
    if clip is not None:
        arguments += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={clip}"]
    if allowed:
        arguments.append("--use-fake-ui-for-media-stream")
    launched = browser.browser_type.launch(executable_path=chromium, args=arguments)
    try:
        yield launched
    finally:
        launched.close()
