"""Cameras for fault tests: a real RTSP server for each, which can be stopped, killed, stalled and started again."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

from tests.conftest import missing
from tests.faults.numbered_pictures import encode_pictures
from tests.ports import free_port

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("gst_rtsp_server.py")
FPS = 25
LOOP = 250
"""The number of pictures before the numbers begin again."""
IMPORT = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"


def need_gstreamer() -> None:
    """Skip the test, or fail in CI, without GStreamer's RTSP server."""
    python = shutil.which(SYSTEM_PYTHON)
    if python is None or subprocess.run([python, "-c", IMPORT], capture_output=True, check=False).returncode:
        missing("GStreamer's RTSP server is missing (on Debian: apt install python3-gi gir1.2-gst-rtsp-server-1.0)")


class GstCamera:
    """One camera at one address; `start` and `stop` may be called again and again."""

    def __init__(self, folder: Path, *, login: str | None = None, cut_every_s: float | None = None) -> None:
        """`folder` keeps the encoded pictures; `login` is USER:PASSWORD."""
        self._folder = folder
        self._options = ["--login", login] if login else []
        self._options += ["--cut-every-s", str(cut_every_s)] if cut_every_s else []
        self._process: subprocess.Popen[str] | None = None
        self.port = free_port()

    def url(self, login: str = "") -> str:
        """Its address, with USER:PASSWORD if it has a login."""
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.port}/live"

    def start(self, size_px: tuple[int, int] = (160, 120)) -> None:
        """Start the server and return once it answers."""
        pictures = self._folder / f"{size_px[0]}x{size_px[1]}.pictures"
        if not pictures.exists():
            encode_pictures(pictures, LOOP, size_px, fps=FPS)
        command = [SYSTEM_PYTHON, str(SERVER), str(pictures), "--port", str(self.port), "--fps", str(FPS)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([*command, *self._options], stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the RTSP server did not start"

    def tell(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP stalls it and SIGCONT continues it; its connections stay open meanwhile."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by SIGTERM or SIGKILL; does nothing if it does not run."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(number)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process = None
