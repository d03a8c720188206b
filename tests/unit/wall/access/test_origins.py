"""Which pages may use the wall, and under which names: all pairs of origin and host that matter."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from wall.access.origins import refusal_of_host, refusal_of_origin

LISTED = ["https://wall.example.com"]


def headers(**given: str) -> Headers:
    return Headers({name.replace("_", "-"): value for name, value in given.items()})


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8088", "localhost:8088", True),
        ("https://wall.local:8088", "wall.local:8088", True),
        ("https://WALL.local", "wall.local:443", True),
        ("http://192.0.2.1", "192.0.2.1:80", True),
        ("http://[::1]:8088", "[::1]:8088", True),
        ("https://wall.example.com", "127.0.0.1:8088", True),
        ("https://Wall.Example.com", "127.0.0.1:8088", True),
        ("http://wall.example.com", "127.0.0.1:8088", False),
        ("http://localhost:8089", "localhost:8088", False),
        ("http://evil.example", "localhost:8088", False),
        ("http://localhost.evil.example:8088", "localhost:8088", False),
        ("http://localhost:8088.evil.example", "localhost:8088", False),
        ("https://wall.example.com.evil.example", "127.0.0.1:8088", False),
        ("null", "localhost:8088", False),
        ("", "localhost:8088", False),
        ("file://", "localhost:8088", False),
        ("chrome-extension://localhost:8088", "localhost:8088", False),
        ("http://localhost:99999", "localhost:8088", False),
        ("http://", "", False),
        ("http://[", "[", False),
    ],
)
def test_a_page_may_use_the_wall_if_it_came_from_there_or_is_listed(origin: str, host: str, allowed: bool) -> None:
    refused = refusal_of_origin(headers(origin=origin, host=host), LISTED, by_cookie=True)
    assert (refused is None) is allowed
    if refused is not None:
        assert refused.status == 403
        assert "wall.origins" in refused.sentence


@pytest.mark.parametrize(
    ("fetch_site", "by_cookie", "allowed"),
    [
        (None, False, True),
        (None, True, False),
        ("same-origin", True, True),
        ("none", True, True),
        ("cross-site", False, False),
        ("same-site", True, False),
    ],
)
def test_only_programs_send_no_origin_and_they_have_no_cookies(
    fetch_site: str | None, by_cookie: bool, allowed: bool
) -> None:
    given = {} if fetch_site is None else {"sec_fetch_site": fetch_site}
    refused = refusal_of_origin(headers(host="localhost", **given), [], by_cookie=by_cookie)
    assert (refused is None) is allowed


@pytest.mark.parametrize(
    ("host", "server", "allowed"),
    [
        ("localhost:8088", "127.0.0.1", True),
        ("LOCALHOST", "127.0.0.1", True),
        ("127.0.0.1:9000", "127.0.0.1", True),
        ("[::1]:8088", "::1", True),
        ("wall.localhost", "127.0.0.1", True),
        ("wall.example.com", "127.0.0.1", True),
        ("192.0.2.1:8088", "192.0.2.1", True),
        ("evil.example:8088", "127.0.0.1", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("192.0.2.1", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("[", "127.0.0.1", False),
    ],
)
def test_a_wall_without_logins_answers_only_under_names_of_its_own_machine(
    host: str, server: str, allowed: bool
) -> None:
    assert (refusal_of_host(headers(host=host), server, LISTED) is None) is allowed


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"])
def test_a_wall_without_logins_serves_no_proxy_unless_one_is_listed(name: str) -> None:
    asked = Headers({"host": "127.0.0.1:8088", name: "203.0.113.9"})
    refused = refusal_of_host(asked, "127.0.0.1", [])
    assert refused is not None
    assert "wall.people" in refused.sentence
    assert refusal_of_host(asked, "127.0.0.1", LISTED) is None
