"""Access to a running wall: accounts, sessions and limits, and the decision about each request. No IO."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.types import Scope

from posebus.config.wall.wall_settings import WallSettings
from wall.access.accounts import Account, Accounts
from wall.access.limits import LoginThrottle, RequestRates, of_one_owner
from wall.access.origins import refusal_of_host, refusal_of_origin
from wall.access.people import LOCAL, Visitor
from wall.access.refusing import LOG_IN_FIRST, Refusal, too_soon
from wall.access.sessions import OpenSockets, Sessions

COOKIE, SECURE_COOKIE = "posebus_wall", "__Host-posebus_wall"
"""Names of the cookie. With the prefix, browsers take it over HTTPS only, and from no other name of the domain."""
PUBLIC = frozenset({"/", "/camera", "/api/login", "/api/logout", "/api/me"})
"""Paths that are served without a login: the pages, which have the form for it and no data."""
PUBLIC_FILES = "/static/"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
REQUESTS_PER_S, BURST = 30.0, 300.0
"""Of one session, or of one address without one. A page asks for its files, and for a picture of each event."""
MOST_SOCKETS = 50
"""WebSockets of one session, token, or of all local pages."""
OPEN_TO_ALL = "local"
"""The key of all WebSockets of a wall without logins."""


@dataclass(frozen=True, slots=True)
class Identified:
    """Who asks. key: of the session or token, for the WebSockets that end with it. session: the key of a session."""

    person: Visitor | None
    key: str
    session: str | None = None


class Access:
    """Decides about requests; all its methods are called in the thread of the server. `now_s` is monotonic."""

    def __init__(self, settings: WallSettings, now_s: Callable[[], float] = time.monotonic) -> None:
        self.now_s = now_s
        self.sockets = OpenSockets()
        self.sessions = Sessions(self.sockets.close, self.sockets.has)
        self.logins = LoginThrottle()
        self._rates = RequestRates(REQUESTS_PER_S, BURST)
        self._tokens: dict[str, Account] = {}
        """By key: the tokens that have been shown."""
        self.settings = settings
        self.accounts = Accounts(settings)

    def use(self, settings: WallSettings) -> None:
        """Go over to other settings: people that they no longer let in are logged out, and their WebSockets close."""
        self.settings, self.accounts = settings, Accounts(settings)
        self.sessions.close_where(lambda session: not self.accounts.has(session.account))
        for key in [key for key, account in self._tokens.items() if not self.accounts.has(account)]:
            del self._tokens[key]
            self.sockets.close(key)
        if settings.asks_who:
            self.sockets.close(OPEN_TO_ALL)

    def tend(self) -> None:
        """End the sessions whose time is over. Call it every few seconds."""
        self.sessions.expire(self.now_s())

    def decide(self, scope: Scope) -> Identified | Refusal:
        """Return who sends a request or opens a WebSocket, or why it is not served."""
        headers = Headers(scope=scope)
        seen = self._seen(scope, headers)
        # A request without a valid login counts for its address.
        counted = seen.key if seen.person is not None and self.settings.asks_who else address_of(scope)
        wait_s = self._rates.wait_s(of_one_owner(counted), self.now_s())
        if wait_s:
            return too_soon("too many requests", wait_s)
        refusal = self._refusal_of_page(scope, headers, seen)
        if refusal is not None:
            return refusal
        is_public = scope["path"] in PUBLIC or scope["path"].startswith(PUBLIC_FILES)
        if seen.person is None and not (is_public and scope["type"] == "http"):
            return Refusal(401, LOG_IN_FIRST)
        if scope["type"] == "websocket" and self.sockets.number(seen.key) >= MOST_SOCKETS:
            return Refusal(429, f"{MOST_SOCKETS} pages of the wall are open already: close some of them")
        return seen

    def _refusal_of_page(self, scope: Scope, headers: Headers, seen: Identified) -> Refusal | None:
        origins = self.settings.origins
        if not self.settings.asks_who:
            server = scope.get("server")
            refusal = refusal_of_host(headers, None if server is None else server[0], origins)
            if refusal is not None:
                return refusal
        if scope["type"] == "http" and scope["method"] in READING:
            return None
        return refusal_of_origin(headers, origins, by_cookie=seen.session is not None)

    def _seen(self, scope: Scope, headers: Headers) -> Identified:
        address = address_of(scope)
        if not self.settings.asks_who:
            return Identified(LOCAL.at(address), OPEN_TO_ALL)
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            account = self.accounts.by_token(token.strip())
            if account is None:
                return Identified(None, "")
            key = f"token {account.person.name}"
            self._tokens[key] = account
            return Identified(account.person.at(address), key)
        secret = cookie_of(headers)
        session = self.sessions.find(secret, self.now_s()) if secret else None
        if session is None:
            return Identified(None, "")
        return Identified(session.account.person.at(address), session.key, session.key)


def address_of(scope: Scope) -> str:
    """Return the address that a request comes from."""
    client = scope.get("client")
    return client[0] if client else "?"


def is_encrypted(scope: Scope, headers: Headers) -> bool:
    """Return whether the browser speaks HTTPS, with the wall or with a proxy before it."""
    return scope["scheme"] in {"https", "wss"} or headers.get("origin", "").startswith("https://")


def cookie_of(headers: Headers) -> str | None:
    """Return the secret of the session in the cookies of a request."""
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)
    return None if found is None else found.value
