"""The wall beside a deployment that this command runs: its process, and opening it in a browser of this machine."""

from __future__ import annotations

import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posebus.config.wall.wall_settings import WallSettings

WALL_MODULE = "posebus_cli.wall.process"
"""The module of the process that serves the wall."""
PATIENCE_S = 30.0
POLL_S = 0.2


def can_open_browser(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Return whether a person who looks at a screen of this machine has started the command."""
    if not is_terminal or environ.get("CI") or environ.get("SSH_CONNECTION"):
        return False
    if sys.platform != "darwin" and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def open_when_served(settings: WallSettings) -> threading.Thread:
    """Open the wall in the browser as soon as it is served; if it never is, nothing happens. Returns at once."""
    from posebus.config.wall.serving import wall_address

    place = ("localhost" if not settings.is_local else settings.host.strip("[]"), settings.port)

    def wait_and_open() -> None:
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            try:
                socket.create_connection(place, timeout=POLL_S).close()
            except OSError:
                time.sleep(POLL_S)
            else:
                webbrowser.open(wall_address(settings))
                return

    thread = threading.Thread(target=wait_and_open, name="browser", daemon=True)
    thread.start()
    return thread
