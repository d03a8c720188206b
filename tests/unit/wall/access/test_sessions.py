"""Sessions: they end by time, by a logout, by a changed configuration, and their WebSockets with them."""

from __future__ import annotations

from tests.unit.wall.access.logins import PASSWORDS, settings
from wall.access.accounts import Account, Accounts
from wall.access.sessions import IDLE_S, LONGEST_S, MOST_OF_ONE, MOST_SESSIONS, OpenSockets, Sessions


def account(name: str = "vera") -> Account:
    found = Accounts(settings()).by_password(name, PASSWORDS[name])
    assert found is not None
    return found


class Opened:
    """Sessions that note which have ended."""

    def __init__(self, *in_use: str) -> None:
        self.ended: list[str] = []
        self.in_use = set(in_use)
        self.sessions = Sessions(self.ended.append, lambda key: key in self.in_use)


def test_a_session_is_found_by_its_secret_alone() -> None:
    opened = Opened()
    secret = opened.sessions.open(account(), 0.0)
    session = opened.sessions.find(secret, 1.0)
    assert session is not None
    assert session.account.person.name == "vera"
    assert secret not in repr(session), "the secret is kept nowhere"
    assert opened.sessions.find(secret[:-1], 1.0) is None
    assert opened.sessions.find(session.key, 1.0) is None
    assert len(secret) >= 43
    assert secret != opened.sessions.open(account(), 0.0)


def test_a_session_that_is_not_used_ends() -> None:
    opened = Opened()
    secret = opened.sessions.open(account(), 0.0)
    assert opened.sessions.find(secret, IDLE_S - 1) is not None
    assert opened.sessions.find(secret, 2 * IDLE_S - 2) is not None, "it was used in between"
    assert opened.sessions.find(secret, 3 * IDLE_S - 2) is None
    assert len(opened.ended) == 1


def test_an_open_websocket_uses_its_session_until_the_longest_time_is_over() -> None:
    opened = Opened()
    secret = opened.sessions.open(account(), 0.0)
    session = opened.sessions.find(secret, 0.0)
    assert session is not None
    opened.in_use.add(session.key)
    times = [step * IDLE_S / 2 for step in range(1, int(2 * LONGEST_S / IDLE_S))]
    for now_s in times:
        opened.sessions.expire(now_s)
    assert opened.ended == []
    opened.sessions.expire(LONGEST_S)
    assert opened.ended == [session.key]


def test_the_number_of_sessions_is_bounded_in_all_and_of_one_person() -> None:
    opened = Opened()
    of_one = [opened.sessions.open(account(), 0.0) for _ in range(MOST_OF_ONE + 1)]
    assert opened.sessions.find(of_one[0], 1.0) is None
    assert opened.sessions.find(of_one[1], 1.0) is not None
    assert len(opened.sessions) == MOST_OF_ONE
    assert MOST_SESSIONS >= MOST_OF_ONE


def test_closing_ends_one_session_and_changed_accounts_end_theirs() -> None:
    opened = Opened()
    first, second = opened.sessions.open(account("vera"), 0.0), opened.sessions.open(account("olga"), 0.0)
    found = opened.sessions.find(first, 0.0)
    assert found is not None
    opened.sessions.close(found.key)
    opened.sessions.close(found.key)
    assert opened.ended == [found.key]
    opened.sessions.close_where(lambda session: session.account.person.name == "olga")
    assert opened.sessions.find(second, 0.0) is None


def test_websockets_close_with_their_session_and_others_stay() -> None:
    sockets = OpenSockets()
    closed: list[str] = []
    one, other = (lambda: closed.append("one")), (lambda: closed.append("other"))
    sockets.add("a", one)
    sockets.add("b", other)
    assert (sockets.has("a"), sockets.number("a"), sockets.total) == (True, 1, 2)
    sockets.close("a")
    assert closed == ["one"]
    sockets.remove("a", one)
    sockets.remove("a", one)
    assert (sockets.has("a"), sockets.total) == (False, 1)
    sockets.close_all()
    assert closed == ["one", "other"]
