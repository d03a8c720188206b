"""One picture for each request over HTTP, with a login by Basic or Digest, and without sending what has not changed.

Certificates are not verified, as FFmpeg does not verify them for streams: cameras sign their own.
"""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib import error, request
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from posebus.config.redaction import redact_url
from posebus.config.settings import CameraSettings
from posebus.errors import LoginRefused, SourceUnavailable

MAX_BYTES = 64_000_000
CHUNK_BYTES = 65_536
UNCHANGED = 304
LOGIN_CODES = (401, 403, 407)
NOT_FOUND_CODES = (404, 410)
KEPT = "%/:=&?~+!$,;'@()*[]"
"""Characters of a path or query that are sent as they are."""
NEXT_JPEG = b"\xff\xd9\xff\xd8\xff"
"""The end of one JPEG file and the start of another."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the camera sent: its content type, in lower case, and the body, or the beginning of one without an end."""

    content_type: str
    body: bytes
    is_whole: bool

    @property
    def is_one_picture(self) -> bool:
        """Whether this is a picture by its type or its first bytes, and not the beginning of a stream of them."""
        by_bytes = _starts_like_a_picture(self.body) and NEXT_JPEG not in self.body
        return self.is_whole and (self.content_type.startswith("image/") or by_bytes)


class PictureFetcher:
    """Asks one address for pictures. Nothing stays open between two requests."""

    def __init__(self, settings: CameraSettings) -> None:
        self.shown = redact_url(settings.source)
        self._open_timeout_s = settings.open_timeout_s
        self._read_timeout_s = settings.read_timeout_s
        self._url, login = _without_login(settings.source)
        self._opener = _opener(self._url, login)
        self._validators: dict[str, str] = {}
        self._kept: Answer | None = None

    def fetch(self) -> Answer:
        """Return the present picture; the last answer again if the camera says that it has not changed.

        Raises SourceUnavailable, and LoginRefused for a wrong or missing login.
        """
        try:
            with self._opener.open(self._request(), timeout=self._open_timeout_s) as response:
                answer = self._answer(response)
        except error.HTTPError as refusal:
            refusal.close()
            if refusal.code == UNCHANGED and self._kept is not None:
                return self._kept
            raise self._refusal(refusal.code) from None
        except (OSError, http.client.HTTPException, ValueError) as failure:
            raise self._failure(failure) from None
        self._remember(response.headers, answer)
        return answer

    def _request(self) -> request.Request:
        return request.Request(self._url, headers={"User-Agent": "posebus", "Accept": "*/*", **self._validators})

    def _answer(self, response: Any) -> Answer:
        kind = response.headers.get_content_type()
        end_s = time.monotonic() + self._read_timeout_s
        body = bytearray()
        while chunk := response.read1(CHUNK_BYTES):
            body += chunk
            late = time.monotonic() > end_s
            if NEXT_JPEG in body and (late or not kind.startswith("image/")):
                return Answer(kind, bytes(body), is_whole=False)
            if len(body) > MAX_BYTES:
                raise SourceUnavailable(f"{self.shown} sends a picture of more than {MAX_BYTES // 10**6} MB")
            if late:
                raise SourceUnavailable(f"{self.shown} did not send a whole picture within {self._read_timeout_s:g} s")
        if response.length:  # less came than was announced
            raise SourceUnavailable(f"{self.shown} broke off in the middle of a picture")
        return Answer(kind, bytes(body), is_whole=True)

    def _remember(self, headers: Any, answer: Answer) -> None:
        known = {"If-None-Match": headers.get("ETag"), "If-Modified-Since": headers.get("Last-Modified")}
        self._validators = {name: value for name, value in known.items() if value}
        self._kept = answer if self._validators else None

    def _refusal(self, code: int) -> SourceUnavailable:
        if code in LOGIN_CODES:
            return LoginRefused(f"{self.shown} refuses the login; put the right user and password into its address")
        if code in NOT_FOUND_CODES:
            return SourceUnavailable(
                f"{self.shown} answers that there is no such picture; check the path in its address"
            )
        return SourceUnavailable(f"{self.shown} answers with the error {code} instead of a picture")

    def _failure(self, failure: Exception) -> SourceUnavailable:
        reason = failure.reason if isinstance(failure, error.URLError) else failure
        if isinstance(reason, TimeoutError):
            return SourceUnavailable(
                f"{self.shown} did not answer within {self._open_timeout_s:g} s; check its address, power and network"
            )
        if isinstance(reason, ConnectionRefusedError):
            return SourceUnavailable(f"{self.shown} refuses the connection; check address and port")
        if isinstance(reason, str | ValueError):  # urllib: an unknown kind of Digest
            return SourceUnavailable(f"{self.shown} wants a kind of login that posebus does not know, or is no address")
        # The text of the error may quote the address.
        return SourceUnavailable(
            f"{self.shown} cannot be reached or read ({type(reason).__name__}); check host name and network"
        )


def _without_login(address: str) -> tuple[str, tuple[str, str] | None]:
    """Return the address without user and password, and these, if there are any."""
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    plain = urlunsplit((parts.scheme, place, quote(parts.path or "/", safe=KEPT), quote(parts.query, safe=KEPT), ""))
    if parts.username is None:
        return plain, None
    return plain, (unquote(parts.username), unquote(parts.password or ""))


def _opener(url: str, login: tuple[str, str] | None) -> request.OpenerDirector:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    handlers: list[request.BaseHandler] = [
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(context=context),
        request.HTTPDefaultErrorHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPErrorProcessor(),
    ]
    if login is not None:
        passwords = request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, urlunsplit((*urlsplit(url)[:2], "/", "", "")), *login)
        handlers += [_DigestOnce(passwords), _BasicOnce(passwords)]
    # Not build_opener: its openers also follow to files and FTP.
    opener = request.OpenerDirector()
    for handler in handlers:
        opener.add_handler(handler)
    return opener


class _DigestOnce(request.HTTPDigestAuthHandler):
    """urllib would try a wrong password six times, and cameras lock an account after a few."""

    def http_error_401(self, req: request.Request, *answer: Any) -> Any:
        """Show the login, unless the request did already."""
        return None if req.has_header("Authorization") else super().http_error_401(req, *answer)


class _BasicOnce(request.HTTPBasicAuthHandler):
    def http_error_401(self, req: request.Request, *answer: Any) -> Any:
        """Show the login, unless the request did already."""
        return None if req.has_header("Authorization") else super().http_error_401(req, *answer)


def _starts_like_a_picture(body: bytes) -> bool:
    if body[4:8] == b"ftyp":
        return body[8:12] in (b"avif", b"heic", b"heix", b"mif1")
    webp = body[:4] == b"RIFF" and body[8:12] == b"WEBP"
    return webp or body.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"II*\0", b"MM\0*"))
