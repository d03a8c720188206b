"""What all parts of the wall share while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from starlette.requests import HTTPConnection

from posebus.bus.redis.connection import Broker, open_broker
from posebus.config.settings import Settings


@dataclass
class WallContext:
    """settings: those of the deployment. settings_file: where changes are saved; None if there is none.

    make_network: returns the ONNX file of the pose network for browsers; it may take a minute, and raises PoseBusError
    with a sentence. None where nothing that exports networks is installed. test_picture_command: starts a child that
    reads a camera as JSON from standard input and writes one picture of it as a JPEG to standard output, or a sentence
    to standard error; None where nothing that opens sources is installed.
    """

    settings: Settings
    settings_file: Path | None = None
    make_network: Callable[[], Path] | None = None
    test_picture_command: tuple[str, ...] | None = None

    def open_broker(self) -> Broker:
        """Return a connection of its own. Its calls block, so they belong into threads."""
        return open_broker(self.settings.redis, self.settings.shards)


def context_of(connection: HTTPConnection) -> WallContext:
    """Return the context of the application that got this request."""
    return cast(WallContext, connection.app.state.context)
