"""Logging in and out, and who is logged in."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from posebus.contract.foreign_json import load_object
from posebus.errors import MalformedMessage
from wall.access.access import COOKIE, SECURE_COOKIE, Access, address_of, is_encrypted
from wall.access.accounts import LONGEST_SECRET, Account
from wall.access.audit import audit, audit_refused
from wall.access.guard import person_of
from wall.access.middleware import SESSION
from wall.access.people import Right
from wall.access.refusing import LOG_IN_FIRST, sentence, too_soon
from wall.access.sessions import LONGEST_S

AT_ONCE = 2
"""Passwords that are checked at the same time: each takes 32 MB and a processor."""
MOST_WAITING = 20
"""Logins that wait for that."""
TOKEN_NAME = "a token"
"""What attempts with a token are counted under."""


def access_routes(access: Access) -> list[BaseRoute]:
    """Return the routes of `access`."""
    logins = Logins(access)

    async def logout(request: Request) -> Response:
        key = request.scope.get(SESSION)
        person = person_of(request)
        if key is not None and person is not None:
            access.sessions.close(key)
            audit(person, "logged out")
        answer = Response(status_code=204)
        for name in (COOKIE, SECURE_COOKIE):
            answer.set_cookie(name, "", max_age=0, secure=name == SECURE_COOKIE, httponly=True, samesite="strict")
        return answer

    async def me(request: Request) -> Response:
        person = person_of(request)
        if person is None:
            return sentence(401, LOG_IN_FIRST)
        rights = [right.value for right in Right if person.may(right)]
        return JSONResponse({"name": person.name, "role": person.role.value, "rights": rights})

    return [
        Route("/api/login", logins.login, methods=["POST"]),
        Route("/api/logout", logout, methods=["POST"]),
        Route("/api/me", me),
    ]


class Logins:
    """Logs people in, a few at a time."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._checking = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def login(self, request: Request) -> Response:
        """Answer {name, password} or {token}: 204 with a cookie, 400, 401, 429 or 503 with a sentence."""
        try:
            given = load_object(await request.body(), "login")
        except MalformedMessage:
            given = {}
        name, secret = given.get("name", TOKEN_NAME), given.get("password", given.get("token"))
        if not isinstance(name, str) or not isinstance(secret, str) or not name or not secret:
            return sentence(400, "a login has a name and a password, or a token")
        access, address, now_s = self._access, address_of(request.scope), self._access.now_s()
        known = name[:LONGEST_SECRET]
        wait_s = access.logins.wait_s(address, known, now_s)
        if wait_s:
            return too_soon("too many logins failed", wait_s).response()
        if self._waiting >= MOST_WAITING:
            return sentence(503, "too many people log in at this moment: try again in a few seconds")
        access.logins.begin(address, known, now_s)
        account = await self._account(name, secret, by_token="password" not in given)
        if account is None:
            audit_refused(known, address)
            return sentence(401, "no such name and password, or token")
        access.logins.succeeded(address, known)
        return self._opened(request, account)

    async def _account(self, name: str, secret: str, *, by_token: bool) -> Account | None:
        accounts = self._access.accounts
        if by_token:
            return accounts.by_token(secret)
        self._waiting += 1
        try:
            async with self._checking:
                return await asyncio.to_thread(accounts.by_password, name, secret)
        finally:
            self._waiting -= 1

    def _opened(self, request: Request, account: Account) -> Response:
        access = self._access
        if not access.accounts.has(account):  # the configuration has changed while the password was checked
            return sentence(401, "no such name and password, or token")
        before = request.scope.get(SESSION)
        if before is not None:
            access.sessions.close(before)
        secret = access.sessions.open(account, access.now_s())
        audit(account.person.at(address_of(request.scope)), "logged in")
        encrypted = is_encrypted(request.scope, Headers(scope=request.scope))
        answer = Response(status_code=204)
        answer.set_cookie(
            SECURE_COOKIE if encrypted else COOKIE,
            secret,
            max_age=int(LONGEST_S),
            path="/",
            secure=encrypted,
            httponly=True,
            samesite="strict",
        )
        return answer
