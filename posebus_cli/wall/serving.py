"""Serving the wall with all that the other packages can do for it, which it does not import itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.reloading.followed import FollowedSettings


def serve_wall(
    settings: Settings,
    followed: FollowedSettings | None,
    settings_file: Path | None,
    served: Callable[[list[str], str], None],
) -> None:
    """Serve the wall until a signal ends it; see `wall.serving.process.run_wall` for the arguments and errors."""
    from posebus_cli.analyse.sample_picture import command_line
    from wall.context import WallContext
    from wall.serving.process import run_wall

    run_wall(WallContext(settings, settings_file, test_picture_command=command_line()), followed, served)
