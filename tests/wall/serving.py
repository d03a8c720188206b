"""A web application that a thread of the test serves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.polling import wait_until
from tests.ports import free_port


@contextmanager
def served(app: ASGIApp, port: int | None = None, hang_up: Callable[[], object] = lambda: None) -> Iterator[str]:
    """Serve `app` until the context ends; yields its address. `hang_up` is called as soon as the server may end."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, "the application to be served")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        hang_up()
        thread.join()
