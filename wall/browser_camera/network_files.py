"""The files that a page loads to run the network itself: the pose network, and what runs it."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import threading
from pathlib import Path
from typing import cast

from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from posebus.config.loading import cache_folder
from posebus.errors import PoseBusError
from posebus.runtime.python_child import python_command, python_environment
from wall.access.guard import require
from wall.access.people import Right
from wall.browser_camera.ort_package import FILES, NetworkMissing, OrtPackage
from wall.context import WallContext, context_of

MAKER = "workers.weights"
"""The module that makes the network; it runs as a child, because it needs what a worker needs."""
MAKING_TIMEOUT_S = 900.0
NO_NETWORK = (
    "this machine cannot make the pose network for browsers: install posebus with the packages of workers where the "
    "wall runs, or send pictures"
)

log = logging.getLogger("posebus.wall")


class NetworkFiles:
    """The files of one wall. Its methods block, the first time for a minute, and raise PoseBusError with a sentence."""

    def __init__(self, context: WallContext) -> None:
        self._cache = cache_folder(context.settings, os.environ)
        self._make = context.make_network or self._made_by_child
        self._made: Path | None = None
        self._lock = threading.Lock()
        self.package = OrtPackage(self._cache)

    def network(self) -> Path:
        """Return the pose network as an ONNX file."""
        with self._lock:
            if self._made is None or not self._made.is_file():
                self._made = self._make()
            return self._made

    def _made_by_child(self) -> Path:
        command = python_command("-m", MAKER, str(self._cache))
        environment = {**os.environ, **python_environment()}
        try:
            done = subprocess.run(
                command, env=environment, timeout=MAKING_TIMEOUT_S, capture_output=True, text=True, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NetworkMissing(f"{NO_NETWORK} ({error})") from error
        if done.returncode == 0:
            return Path(done.stdout.strip().splitlines()[-1])
        reason = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise NetworkMissing(NO_NETWORK if "ModuleNotFoundError" in done.stderr else reason)


def _network_files(connection: HTTPConnection) -> NetworkFiles:
    state = connection.app.state
    if not hasattr(state, "network_files"):
        state.network_files = NetworkFiles(context_of(connection))
    return cast(NetworkFiles, state.network_files)


async def network_file(request: Request) -> Response:
    """`/network/NAME`: the pose network as `pose.onnx`, and the files of onnxruntime-web."""
    require(request, Right.SEND)
    name = request.path_params["name"]
    files = _network_files(request)
    try:
        if name == "pose.onnx":
            path = await asyncio.to_thread(files.network)
            return FileResponse(path, media_type="application/octet-stream")
        if name in FILES:
            path = await asyncio.to_thread(files.package.file, name)
            return FileResponse(path, media_type=FILES[name])
    except PoseBusError as error:
        log.warning("a browser cannot run the network: %s", error)
        return JSONResponse({"sentence": str(error)}, 503)
    return JSONResponse({"sentence": "there is no such file of the network"}, 404)


ROUTES = [Route("/network/{name}", network_file)]
