"""The web server of the wall in a thread of its own, so that nothing in the main loop makes a page wait."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from posebus.errors import ConfigError

MAX_MESSAGE_BYTES = 2_000_000
"""Of a WebSocket message from a browser: a picture of a browser camera is the largest."""
MAX_CONNECTIONS = 1000
PING_EVERY_S, PING_WAIT_S = 10.0, 15.0
"""How often a page is asked whether it is still there, and how long it may take to answer."""
START_LIMIT_S = 30.0
CLOSE_S = 2
"""Seconds for requests that are being answered once the wall ends; WebSockets are closed at once."""
POLL_S = 0.02

log = logging.getLogger("posebus.wall")


class WebServer:
    """Serves an application at sockets that listen. Its thread ends with `stop`, or by itself if the server breaks."""

    def __init__(
        self, app: ASGIApp, sockets: list[socket.socket], certificate: tuple[Path, Path] | None, *, behind_proxy: bool
    ) -> None:
        """certificate: PEM files with certificate and key; None: plain HTTP. Raises ConfigError for unusable ones.

        behind_proxy: a proxy on this machine may name its clients.
        """
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_ping_interval=PING_EVERY_S,
            ws_ping_timeout=PING_WAIT_S,
            # Pictures are JPEG already.
            ws_per_message_deflate=False,
            proxy_headers=behind_proxy,
            forwarded_allow_ips="127.0.0.1,::1",
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=CLOSE_S,
            ssl_certfile=certificate and certificate[0],
            ssl_keyfile=certificate and certificate[1],
        )
        self._load(config, certificate)
        self._config = config
        self._server = uvicorn.Server(config)
        self._sockets = sockets
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="web server", daemon=True)

    def start(self, is_over: Callable[[], bool]) -> None:
        """Start serving, and return once it serves, or once `is_over` says so. Raises what ended the start."""
        self._thread.start()
        end_s = time.monotonic() + START_LIMIT_S
        while not self._server.started and not is_over():
            if not self.is_alive:
                raise self._error or RuntimeError("the web server ended at its start; the log says why")
            if time.monotonic() > end_s:
                raise RuntimeError(f"the web server did not start within {START_LIMIT_S:g} s")
            time.sleep(POLL_S)

    @property
    def is_alive(self) -> bool:
        """Whether it serves, or is about to."""
        return self._thread.is_alive()

    @property
    def error(self) -> BaseException | None:
        """What ended it, unless `stop` did."""
        return self._error

    def call(self, function: Callable[[], None]) -> None:
        """Call `function` soon, in the thread of the server."""
        if self._loop is not None and self.is_alive:
            self._loop.call_soon_threadsafe(function)

    def use_certificate(self, certificate: tuple[Path, Path]) -> None:
        """Show this certificate to all who connect from now on."""
        self._load(self._config, certificate)

    def stop(self) -> None:
        """End it: no new connections, and the open ones have a little time. Returns when its thread has ended."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._error = error

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=self._sockets)

    @staticmethod
    def _load(config: uvicorn.Config, certificate: tuple[Path, Path] | None) -> None:
        try:
            if not config.loaded:
                config.load()
            elif config.ssl is not None and certificate is not None:
                config.ssl.load_cert_chain(*certificate)
        except (OSError, ValueError) as error:
            named = "" if certificate is None else f" {certificate[0]} and its key {certificate[1]}"
            reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
            raise ConfigError(f"the certificate{named} cannot be used: {reason}") from None
