"""The people and programs of the configuration: who a password or a token belongs to. Pure."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from posebus.config.wall.wall_settings import WallPerson, WallSettings, WallToken
from wall.access.hashes import NOBODY, hash_of_token, is_password
from wall.access.people import Role, Visitor

LONGEST_SECRET = 1024
"""Characters of a password or token. scrypt takes longer for longer ones."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person of the configuration, with the entry that was valid at the login; another one may stand there later."""

    person: Visitor
    entry: WallPerson | WallToken


class Accounts:
    """The accounts of one state of the configuration."""

    def __init__(self, settings: WallSettings) -> None:
        self._people = dict(settings.people)
        self._tokens = dict(settings.tokens)

    def by_password(self, name: str, password: str) -> Account | None:
        """Return whose name and password these are. It takes a quarter of a second, so call it in a thread."""
        entry = self._people.get(name)
        hashed = NOBODY if entry is None else entry.password
        matches = is_password(password[:LONGEST_SECRET], hashed) and len(password) <= LONGEST_SECRET
        return _account(name, entry) if entry is not None and matches else None

    def by_token(self, token: str) -> Account | None:
        """Return whose token this is."""
        hashed = hash_of_token(token[:LONGEST_SECRET])
        found = None
        for name, entry in self._tokens.items():
            # All are compared, so that the time says nothing about which one was nearly right.
            if hmac.compare_digest(hashed, entry.token):
                found = _account(name, entry)
        return found

    def has(self, account: Account) -> bool:
        """Return whether this account stands in the configuration, as it was."""
        name = account.person.name
        return account.entry in (self._people.get(name), self._tokens.get(name))


def _account(name: str, entry: WallPerson | WallToken) -> Account:
    return Account(Visitor(name, Role(entry.role)), entry)
