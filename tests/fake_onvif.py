"""An ONVIF camera on the loopback interface: it answers WS-Discovery by multicast, and SOAP with a login."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GROUP = "239.255.255.250"
USER, PASSWORD = "admin", "s3cret & more"
SOAP = (
    '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope">'
)
NOT_AUTHORIZED = (
    "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode>"
    '<SOAP-ENV:Value xmlns:ter="http://www.onvif.org/ver10/error">ter:NotAuthorized</SOAP-ENV:Value></SOAP-ENV:Subcode>'
    "</SOAP-ENV:Code></SOAP-ENV:Fault>"
)
STREAMS = {
    "Profile_1": ("main stream", "H265", 1920, 1080, 25, "rtsp://192.0.2.77:554/stream1?channel=1&subtype=0"),
    "Profile_2": ("sub", "H264", 640, 480, 10, "rtsp://leaked:login@192.0.2.77/stream2"),
    "Profile_3": ("strange", "H264", 640, 480, 10, "javascript:alert(1)"),
}


@dataclass
class FakeCamera:
    """How the camera behaves; `asked` holds the names of the questions that it got."""

    udp_port: int = 0
    http_port: int = 0
    ahead: timedelta = timedelta()
    http_digest: bool = False
    redirect: str | None = None
    answer: bytes | None = None
    xaddrs: str | None = None
    match: bytes | None = None
    asked: list[str] = field(default_factory=list)
    probes: list[bytes] = field(default_factory=list)

    def probe_match(self, question: bytes) -> bytes:
        """The answer to a probe."""
        if self.match is not None:
            return self.match
        found = re.search(rb"<a:MessageID>([^<]+)</a:MessageID>", question)
        assert found is not None
        xaddrs = (
            self.xaddrs
            or f"http://192.0.2.99/onvif/device_service http://127.0.0.1:{self.http_port}/onvif/device_service"
        )
        scopes = (
            "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/Profile/Streaming "
            "onvif://www.onvif.org/name/Front%20Door%1b[2J onvif://www.onvif.org/hardware/X-100"
        )
        return (
            f'{SOAP}<SOAP-ENV:Header xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
            f"<wsa:RelatesTo>{found[1].decode()}</wsa:RelatesTo></SOAP-ENV:Header><SOAP-ENV:Body>"
            '<d:ProbeMatches xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><d:ProbeMatch>'
            f"<d:Scopes>{scopes}</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs></d:ProbeMatch></d:ProbeMatches>"
            "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
        ).encode()

    def soap(self, question: str) -> tuple[int, str]:
        """Status and body of the answer to a question."""
        name = re.search(r"<s:Body><(\w+)", question)
        assert name is not None
        self.asked.append(name[1])
        if name[1] == "GetSystemDateAndTime":
            now = datetime.now(UTC) + self.ahead
            return 200, (
                "<R><SystemDateAndTime><UTCDateTime><Time>"
                f"<Hour>{now.hour}</Hour><Minute>{now.minute}</Minute><Second>{now.second}</Second></Time><Date>"
                f"<Year>{now.year}</Year><Month>{now.month}</Month><Day>{now.day}</Day></Date>"
                "</UTCDateTime></SystemDateAndTime></R>"
            )
        if not self.http_digest and not self.is_right(question):
            return 400, NOT_AUTHORIZED
        if name[1] == "GetCapabilities":
            return 200, "<R><Media><XAddr>http://192.0.2.99/onvif/media</XAddr></Media></R>"
        if name[1] == "GetProfiles":
            return 200, f"<R>{''.join(map(_profile, STREAMS))}</R>"
        token = re.search(r"<ProfileToken>(\w+)</ProfileToken>", question)
        assert token is not None
        return 200, f"<R><MediaUri><Uri>{STREAMS[token[1]][5].replace('&', '&amp;')}</Uri></MediaUri></R>"

    def is_right(self, question: str) -> bool:
        """Whether the login of WS-UsernameToken is right and new, by this camera's clock."""
        found = [
            re.search(rf"<\w+:{part}(?: [^>]*)?>([^<]*)<", question)
            for part in ("Username", "Password", "Nonce", "Created")
        ]
        if not all(found):
            return False
        user, digest, nonce, created = (one[1] for one in found if one is not None)
        wanted = hashlib.sha1(base64.b64decode(nonce) + created.encode() + PASSWORD.encode()).digest()
        age = datetime.now(UTC) + self.ahead - datetime.fromisoformat(created)
        return user == USER and base64.b64decode(digest) == wanted and abs(age) < timedelta(minutes=2)


def _profile(token: str) -> str:
    name, encoding, width, height, fps, _ = STREAMS[token]
    return (
        f'<trt:Profiles xmlns:trt="http://www.onvif.org/ver10/media/wsdl" token="{token}"><Name>{name}</Name>'
        f"<VideoEncoderConfiguration><Encoding>{encoding}</Encoding><Resolution><Width>{width}</Width>"
        f"<Height>{height}</Height></Resolution><RateControl><FrameRateLimit>{fps}</FrameRateLimit></RateControl>"
        "</VideoEncoderConfiguration></trt:Profiles>"
    )


class _Handler(BaseHTTPRequestHandler):
    camera: FakeCamera

    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["Content-Length"])).decode()
        login = self.headers.get("Authorization", "")
        if self.camera.redirect is not None:
            self.camera.asked.append("redirected")
            self._send(302, b"", [("Location", self.camera.redirect)])
        elif self.camera.answer is not None:
            self._send(200, self.camera.answer)
        elif self.camera.http_digest and "GetSystemDateAndTime" not in question and not _is_right_digest(login):
            self._send(
                401, b"", [("WWW-Authenticate", 'Digest realm="camera", nonce="abc", qop="auth", algorithm=MD5')]
            )
        else:
            status, body = self.camera.soap(question)
            self._send(status, f"{SOAP}<SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>".encode())

    def _send(self, status: int, body: bytes, headers: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in headers or []:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def _is_right_digest(login: str) -> bool:
    """RFC 7616 with MD5 and qop=auth."""
    parts = dict(re.findall(r'(\w+)="?([^",]*)"?', login.removeprefix("Digest ")))
    if not parts:
        return False
    first = hashlib.md5(f"{USER}:camera:{PASSWORD}".encode()).hexdigest()
    second = hashlib.md5(f"POST:{parts['uri']}".encode()).hexdigest()
    text = f"{first}:{parts['nonce']}:{parts['nc']}:{parts['cnonce']}:{parts['qop']}:{second}"
    return parts["response"] == hashlib.md5(text.encode()).hexdigest()


@contextmanager
def fake_camera(udp_port: int, **behaviour: object) -> Iterator[FakeCamera]:
    """A camera that answers probes at `udp_port` and SOAP at a port of its own, until the end of the `with`."""
    camera = FakeCamera(udp_port=udp_port, **behaviour)  # type: ignore[arg-type]
    handler = type("Handler", (_Handler,), {"camera": camera})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    camera.http_port = server.server_port
    probes = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probes.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probes.bind(("", udp_port))
    membership = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
    probes.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)

    def answer_probes() -> None:
        while True:
            data, sender = probes.recvfrom(65_535)
            if data == b"stop":
                return
            camera.probes.append(data)
            probes.sendto(camera.probe_match(data), sender)

    threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=answer_probes)]
    for thread in threads:
        thread.start()
    try:
        yield camera
    finally:
        server.shutdown()
        server.server_close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"stop", ("127.0.0.1", udp_port))
        for thread in threads:
            thread.join()
        probes.close()
