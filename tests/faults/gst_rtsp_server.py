"""A real RTSP server for tests: GStreamer's, which plays numbered pictures that were encoded beforehand in a loop.

The system's Python runs it, since that has GStreamer's bindings and the virtual environment may not:
`/usr/bin/python3 gst_rtsp_server.py FILE --port PORT`. It prints one line when it answers. All clients of one server
receive the same picture at the same time and may join between two key frames, as with a camera.
"""

import argparse
import struct
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

LAUNCH = (
    "( appsrc name=camera is-live=true do-timestamp=true format=time block=false max-bytes=4000000"
    " caps=video/x-h264,stream-format=byte-stream,alignment=au"
    " ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)
ROLE = "viewer"


class Camera(GstRtspServer.RTSPMediaFactory):
    """Pushes one encoded picture after the other, at the pace of the clock, while a client is connected."""

    def __init__(self, pictures: list, fps: float) -> None:
        super().__init__()
        self.set_launch(LAUNCH)
        self.set_shared(True)
        self._pictures = pictures
        self._interval_ms = round(1000 / fps)
        self._next = 0

    def do_configure(self, media: GstRtspServer.RTSPMedia) -> None:
        """The server calls it for each media that it makes."""
        source = media.get_element().get_by_name("camera")
        self._next = 0
        timer = GLib.timeout_add(self._interval_ms, self._push, source)
        media.connect("unprepared", lambda _: GLib.source_remove(timer))

    def _push(self, source: Gst.Element) -> bool:
        picture = self._pictures[self._next % len(self._pictures)]
        self._next += 1
        source.emit("push-buffer", Gst.Buffer.new_wrapped(picture))
        return True


def read_pictures(path: str) -> list:
    """Access units, each preceded by its length (4 bytes, big-endian)."""
    data = Path(path).read_bytes()
    pictures, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        pictures.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return pictures


def add_login(server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, login: str) -> None:
    """Accepts only clients with `login`, as USER:PASSWORD."""
    user, _, password = login.partition(":")
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role(ROLE)
    permissions.add_permission_for_role(ROLE, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    permissions.add_permission_for_role(ROLE, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.set_permissions(permissions)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures")
    parser.add_argument("--port", required=True)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--login", help="USER:PASSWORD")
    parser.add_argument("--cut-every-s", type=float, help="cut all connections this often")
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    factory = Camera(read_pictures(options.pictures), options.fps)
    if options.login:
        add_login(server, factory, options.login)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit(f"port {options.port} cannot be listened on")
    if options.cut_every_s:
        cut = GstRtspServer.RTSPFilterResult.REMOVE
        GLib.timeout_add(round(1000 * options.cut_every_s), lambda: server.client_filter(lambda *_: cut) is not None)
    loop = GLib.MainLoop()
    # The parent process holds the other end of standard input: when it is gone, the server ends.
    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_HUP, lambda *_: loop.quit())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    loop.run()


if __name__ == "__main__":
    main()
