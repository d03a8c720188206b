"""Run the wall until a signal ends it."""

from __future__ import annotations

import uvicorn

from wall.app import application
from wall.context import WallContext

MAX_MESSAGE_BYTES = 2_000_000
"""Of a WebSocket message from a browser: a picture of a browser camera is the largest."""


def serve(context: WallContext, host: str, port: int) -> None:
    """Serve the wall at http://HOST:PORT."""
    config = uvicorn.Config(
        application(context),
        host=host,
        port=port,
        log_config=None,
        ws_max_size=MAX_MESSAGE_BYTES,
        access_log=False,
        ws_per_message_deflate=False,  # a JPEG cannot be compressed, and each viewer would pay for the attempt
    )
    uvicorn.Server(config).run()
