"""Which page a request comes from, and under which name the wall is addressed: no other website may use it. Pure.

A browser sends the cookies of the wall with requests that any page makes (cross-site request forgery), opens WebSockets
for any page (cross-site WebSocket hijacking, since CORS does not hold there), and lets a page whose name was pointed at
127.0.0.1 read the answers (DNS rebinding). Origin and Host say what happens, and scripts cannot forge them.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from posebus.config.redaction import harmless
from posebus.config.wall.places import is_loopback
from wall.access.refusing import Refusal

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers by which proxies name their clients."""
_USUAL = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def refusal_of_host(headers: Headers, server: str | None, origins: Collection[str]) -> Refusal | None:
    """Return why a wall without logins refuses a request, by the name that it is addressed by.

    `server` is the address at which the connection arrived. Such a wall is for the browser on its own machine.
    """
    if any(name in headers for name in FORWARDED) and not origins:
        return Refusal(
            403, "this wall has no logins, so it serves no proxy: name people under wall.people, and the "
            "address of the proxy under wall.origins"
        )  # fmt: skip
    host = _host(headers.get("host", ""))
    if host is None or not (is_loopback(host) or host == server or any(host == _host(one) for one in origins)):
        shown = harmless(headers.get("host", "")[:100])
        return Refusal(
            403, f"this wall is not served under the name {shown!r}: open it as http://localhost, or name the address "
            "under wall.origins"
        )  # fmt: skip
    return None


def refusal_of_origin(headers: Headers, origins: Collection[str], *, by_cookie: bool) -> Refusal | None:
    """Return why a changing request, or a WebSocket, is refused by the page that it comes from.

    by_cookie: a cookie says who sends it, which a browser adds by itself. Only programs other than browsers send no
    origin, and they send no cookies.
    """
    origin = headers.get("origin")
    if origin is None:
        if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            return _FOREIGN
        if by_cookie and "sec-fetch-site" not in headers:
            return Refusal(403, "this request does not say which page it comes from: send Origin, or a token")
        return None
    if origin.lower() in origins or _is_own(origin, headers.get("host", "")):
        return None
    return _FOREIGN


_FOREIGN = Refusal(
    403,
    "this request comes from a page of another website: if that is the address of this wall behind a proxy, name it "
    "under wall.origins",
)


def _is_own(origin: str, host: str) -> bool:
    """Return whether a page of `origin` is of the server that is addressed as `host`.

    Schemes are not compared, since a proxy that encrypts speaks plain HTTP to the wall.
    """
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        ports = page.port or _USUAL.get(page.scheme), here.port or _USUAL.get(page.scheme)
    except ValueError:
        return False
    return (
        page.scheme in {"http", "https"}
        and bool(page.hostname)
        and page.hostname == here.hostname
        and ports[0] == ports[1]
    )


def _host(address: str) -> str | None:
    """Return the host, without its port, of the value of a Host header or of an origin; None if it has none."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname
    except ValueError:
        return None
