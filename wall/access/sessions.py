"""Who is logged in: sessions in the memory of the wall, and the WebSockets that end with them."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from wall.access.accounts import Account

IDLE_S = 12 * 3600.0
"""A session that is not used for so long ends; an open WebSocket uses it."""
LONGEST_S = 7 * 24 * 3600.0
"""A session ends after this time in any case."""
MOST_SESSIONS = 1000
MOST_OF_ONE = 50
"""Of one person; a further login ends the one that was not used for longest."""


@dataclass(slots=True)
class LoginSession:
    """One login. `key` names it where its secret must not be written; times are monotonic seconds."""

    key: str
    account: Account
    opened_at_s: float
    used_at_s: float


class Sessions:
    """All sessions, of which each has a secret that only its browser knows. Used in one thread."""

    def __init__(self, ended: Callable[[str], None], in_use: Callable[[str], bool]) -> None:
        """`ended` is called with the key of each session that ends; `in_use` says whether one has open WebSockets."""
        self._ended = ended
        self._in_use = in_use
        self._by_key: OrderedDict[str, LoginSession] = OrderedDict()
        """In the order of their use."""

    def open(self, account: Account, now_s: float) -> str:
        """Begin a session; returns its secret."""
        secret = secrets.token_urlsafe(32)
        key = _key(secret)
        self._by_key[key] = LoginSession(key, account, now_s, now_s)
        same = [one.key for one in self._by_key.values() if one.account.person.name == account.person.name]
        for old in same[:-MOST_OF_ONE]:
            self._end(old)
        while len(self._by_key) > MOST_SESSIONS:
            self._end(next(iter(self._by_key)))
        return secret

    def find(self, secret: str, now_s: float) -> LoginSession | None:
        """Return the session of `secret`, which is used by that; None if there is none, or it has ended."""
        # Found by its hash, so the time that it takes says nothing about the secret.
        session = self._by_key.get(_key(secret))
        if session is None:
            return None
        if self._is_over(session, now_s):
            self._end(session.key)
            return None
        session.used_at_s = now_s
        self._by_key.move_to_end(session.key)
        return session

    def close(self, key: str) -> None:
        """End one session, if it is still there."""
        if key in self._by_key:
            self._end(key)

    def close_where(self, is_over: Callable[[LoginSession], bool]) -> None:
        """End all sessions of which `is_over` says so."""
        for session in [one for one in self._by_key.values() if is_over(one)]:
            self._end(session.key)

    def expire(self, now_s: float) -> None:
        """End the sessions whose time is over. Call it every few seconds: their WebSockets end by it."""
        self.close_where(lambda session: self._is_over(session, now_s))

    def __len__(self) -> int:
        return len(self._by_key)

    def _is_over(self, session: LoginSession, now_s: float) -> bool:
        if now_s - session.opened_at_s >= LONGEST_S:
            return True
        if self._in_use(session.key):
            session.used_at_s = now_s
        return now_s - session.used_at_s >= IDLE_S

    def _end(self, key: str) -> None:
        del self._by_key[key]
        self._ended(key)


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class OpenSockets:
    """The WebSockets that are open, by the key of the session or token that opened them. Used in one thread."""

    def __init__(self) -> None:
        self._closers: dict[str, set[Callable[[], None]]] = {}

    def add(self, key: str, close: Callable[[], None]) -> None:
        """Remember a WebSocket; `close` closes it, and may be called once it has ended, too."""
        self._closers.setdefault(key, set()).add(close)

    def remove(self, key: str, close: Callable[[], None]) -> None:
        """Forget a WebSocket that has ended."""
        closers = self._closers.get(key, set())
        closers.discard(close)
        if not closers:
            self._closers.pop(key, None)

    def has(self, key: str) -> bool:
        """Return whether a WebSocket of `key` is open."""
        return key in self._closers

    def number(self, key: str) -> int:
        """Return how many WebSockets of `key` are open."""
        return len(self._closers.get(key, ()))

    @property
    def total(self) -> int:
        """How many WebSockets are open. May be read in any thread."""
        return sum(len(closers) for closers in tuple(self._closers.values()))

    def close(self, key: str) -> None:
        """Close all WebSockets of one session or token."""
        for close in tuple(self._closers.get(key, ())):
            close()

    def close_all(self) -> None:
        """Close all WebSockets."""
        for key in tuple(self._closers):
            self.close(key)
