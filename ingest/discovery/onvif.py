"""The streams of an ONVIF device: its media profiles and their addresses, asked for with a login.

The password is sent as a digest only: by WS-UsernameToken (OASIS WSS 1.1), or by HTTP Digest where a device wants it.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib import error, request
from urllib.parse import urlsplit, urlunsplit
from xml.etree import ElementTree

from ingest.discovery.probe import is_service_of
from ingest.discovery.soap_xml import MAX_BYTES, as_text, elements, envelope, parse_xml, shown, text_of
from posebus.errors import LoginRefused, MalformedMessage, SourceUnavailable

TIMEOUT_S = 5.0
MOST_PROFILES = 32
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_DIGEST = f"{_SECURITY}username-token-profile-1.0#PasswordDigest"
_BASE64 = f"{_SECURITY}soap-message-security-1.0#Base64Binary"
STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")


class _QuestionRefused(SourceUnavailable):
    """The device understands a question and does not answer it."""


@dataclass(frozen=True, slots=True)
class StreamProfile:
    """A stream of a device. address: without a login. encoding, size_px, fps: as configured, None if unknown."""

    name: str
    address: str
    encoding: str | None = None
    size_px: tuple[int, int] | None = None
    fps: float | None = None


class OnvifDevice:
    """One device, at the address of its device service. All questions end within some seconds.

    Raises SourceUnavailable where it does not answer, or not as ONVIF says, and LoginRefused.
    """

    def __init__(self, address: str, user: str | None, password: str | None, timeout_s: float = TIMEOUT_S) -> None:
        self._address = address
        self._host = urlsplit(address).hostname or ""
        self._user, self._password = user, password
        self._timeout_s = timeout_s
        self._clock = timedelta()
        self._opener = _opener(address, user, password)

    def profiles(self) -> list[StreamProfile]:
        """The media profiles with their addresses, in the order of the device."""
        self._clock = self._clock_difference()
        media = self._media_address()
        answer = self._ask(media, f'<GetProfiles xmlns="{MEDIA}"/>')
        found = []
        for profile in list(elements(answer, "Profiles"))[:MOST_PROFILES]:
            token = profile.get("token", "")
            address = self._stream_address(media, token)
            if address is not None:
                found.append(_profile(profile, address, token))
        return found

    def _clock_difference(self) -> timedelta:
        """How far the device's clock is ahead of ours: it refuses a login that seems to be old."""
        try:
            answer = self._ask(self._address, f'<GetSystemDateAndTime xmlns="{DEVICE}"/>', with_login=False)
            utc = next(elements(answer, "UTCDateTime"))
            numbers = [
                int(text_of(utc, part, name))
                for part, names in (("Date", ("Year", "Month", "Day")), ("Time", ("Hour", "Minute", "Second")))
                for name in names
            ]
            return datetime(*numbers, tzinfo=UTC) - datetime.now(UTC)  # type: ignore[misc,arg-type]
        except (_QuestionRefused, LoginRefused, StopIteration, ValueError, OverflowError):
            return timedelta()

    def _media_address(self) -> str:
        """The address of the media service. It is taken at the device's own host, also if it names another."""
        category = f'<GetCapabilities xmlns="{DEVICE}"><Category>Media</Category></GetCapabilities>'
        named = text_of(self._ask(self._address, category), "Media", "XAddr")
        try:
            parts, own = urlsplit(named), urlsplit(self._address)
        except ValueError:
            return self._address
        if not parts.path:
            return self._address
        if is_service_of(named, self._host):
            return named
        return urlunsplit((own.scheme, own.netloc, parts.path, parts.query, ""))

    def _stream_address(self, media: str, token: str) -> str | None:
        """The address of a profile's stream without a login; None if the device gives none that can be used."""
        setup = (
            f'<Stream xmlns="{SCHEMA}">RTP-Unicast</Stream>'
            f'<Transport xmlns="{SCHEMA}"><Protocol>RTSP</Protocol></Transport>'
        )
        body = (
            f'<GetStreamUri xmlns="{MEDIA}"><StreamSetup>{setup}</StreamSetup>'
            f"<ProfileToken>{as_text(token)}</ProfileToken></GetStreamUri>"
        )
        try:
            return usable_address(text_of(self._ask(media, body), "Uri"))
        except _QuestionRefused:
            return None

    def _ask(self, address: str, body: str, *, with_login: bool = True) -> ElementTree.Element:
        header = self._login() if with_login and self._user is not None else ""
        question = request.Request(
            address,
            data=envelope(header, body),
            headers={"Content-Type": "application/soap+xml; charset=utf-8", "User-Agent": "posebus"},
        )
        try:
            status, data = _exchange(self._opener, question, self._timeout_s)
            root = parse_xml(data)
        except MalformedMessage as problem:
            if status in (401, 403):
                raise self._refused() from None
            raise SourceUnavailable(f"{self._host} does not answer as an ONVIF device: {problem}") from None
        except (OSError, http.client.HTTPException, ValueError) as problem:
            cause = getattr(problem, "reason", problem)
            reason = shown(str(getattr(cause, "strerror", None) or cause))
            raise SourceUnavailable(f"{self._host} does not answer at its ONVIF service: {reason}") from None
        fault = next(elements(root, "Fault"), None)
        if status in (401, 403) or (fault is not None and _is_about_login(fault)):
            raise self._refused()
        if fault is not None or status != 200:
            reason = text_of(fault, "Text") or text_of(fault, "faultstring") if fault is not None else ""
            raise _QuestionRefused(f"{self._host} refuses a question of ONVIF: {shown(reason) or f'HTTP {status}'}")
        return root

    def _refused(self) -> LoginRefused:
        if self._user is None:
            return LoginRefused(f"{self._host} tells its streams only with a login: add --user NAME")
        return LoginRefused(
            f"{self._host} refuses the user {shown(self._user)}: many cameras have users of their own for ONVIF, which "
            "are made in their settings"
        )

    def _login(self) -> str:
        nonce = os.urandom(20)
        created = (datetime.now(UTC) + self._clock).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        # SHA-1 is what the standard says; it protects the password from readers of the network, weakly.
        digest = hashlib.sha1(nonce + created.encode() + (self._password or "").encode()).digest()
        return (
            f'<w:Security s:mustUnderstand="1" xmlns:w="{_SECURITY}wssecurity-secext-1.0.xsd" '
            f'xmlns:u="{_SECURITY}wssecurity-utility-1.0.xsd"><w:UsernameToken>'
            f"<w:Username>{as_text(self._user or '')}</w:Username>"
            f'<w:Password Type="{_DIGEST}">{base64.b64encode(digest).decode()}</w:Password>'
            f'<w:Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</w:Nonce>'
            f"<u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
        )


def usable_address(text: str) -> str | None:
    """The address of a stream as a device gives it, without a login; None if it is none that posebus reads."""
    try:
        parts = urlsplit(text)
        if parts.scheme not in STREAM_SCHEMES or not parts.hostname or not text.isprintable() or " " in text:
            return None
        _ = parts.port
    except ValueError:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _profile(profile: ElementTree.Element, address: str, token: str) -> StreamProfile:
    encoder = next(elements(profile, "VideoEncoderConfiguration"), None)
    if encoder is None:
        return StreamProfile(shown(text_of(profile, "Name") or token), address)
    width, height = (_number(text_of(encoder, "Resolution", side)) for side in ("Width", "Height"))
    return StreamProfile(
        name=shown(text_of(profile, "Name") or token),
        address=address,
        encoding=shown(text_of(encoder, "Encoding"), 20) or None,
        size_px=(int(width), int(height)) if width and height else None,
        fps=_number(text_of(encoder, "RateControl", "FrameRateLimit")),
    )


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


def _is_about_login(fault: ElementTree.Element) -> bool:
    codes = {(one.text or "").rpartition(":")[2].strip() for one in elements(fault, "Value")}
    return bool(codes & {"NotAuthorized", "FailedAuthentication", "InvalidSecurityToken", "OperationProhibited"})


class _NoRedirect(request.HTTPRedirectHandler):
    """A device that sends its visitors elsewhere does not get the login sent there."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _opener(address: str, user: str | None, password: str | None) -> request.OpenerDirector:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    handlers: list[Any] = [request.ProxyHandler({}), request.HTTPSHandler(context=context), _NoRedirect()]
    if user is not None:
        logins = request.HTTPPasswordMgrWithDefaultRealm()
        parts = urlsplit(address)
        logins.add_password(None, f"{parts.scheme}://{parts.netloc}/", user, password or "")
        handlers.append(request.HTTPDigestAuthHandler(logins))
    return request.build_opener(*handlers)


def _exchange(opener: request.OpenerDirector, question: request.Request, timeout_s: float) -> tuple[int, bytes]:
    """The status and the body of the answer, within about `timeout_s` and at most one byte above MAX_BYTES."""
    end_s = time.monotonic() + timeout_s
    try:
        answer: Any = opener.open(question, timeout=timeout_s)
    except error.HTTPError as problem:
        answer = problem
    with answer:
        data = bytearray()
        while len(data) <= MAX_BYTES and (chunk := answer.read1(65_536)):
            data += chunk
            if time.monotonic() > end_s:
                raise TimeoutError("it sends too slowly")
        return int(answer.status), bytes(data)
