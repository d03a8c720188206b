"""Access as a browser and a program see it: login, cookies, tokens, limits, headers, WebSockets that end."""

from __future__ import annotations

import logging
from http.cookies import SimpleCookie

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from posebus.config.wall.wall_settings import WallSettings
from tests.unit.wall.access.logins import PASSWORDS, TOKEN, Door, settings
from wall.access import middleware
from wall.access.access import BURST, COOKIE, MOST_SOCKETS, SECURE_COOKIE
from wall.access.headers import headers_for
from wall.access.middleware import LOGGED_OUT, MAX_BODY_BYTES
from wall.access.sessions import IDLE_S, LONGEST_S

VERA = {"name": "vera", "password": PASSWORDS["vera"]}


def test_without_a_login_only_the_form_is_served() -> None:
    client = Door().client()
    for path in ("/api/hello", "/api/nothing", "/ws", "/network/x.onnx", "/api/login/../hello", "//api/hello"):
        answer = client.get(path)
        assert answer.status_code == 401, path
        assert answer.json() == {"sentence": "log in first"}
    assert client.get("/api/me").status_code == 401
    with client.websocket_connect("/ws") as page, pytest.raises(WebSocketDisconnect) as closed:
        page.receive_text()
    assert closed.value.code == LOGGED_OUT


def test_a_login_opens_the_wall_and_a_logout_closes_it() -> None:
    door = Door()
    with door.logged_in("vera") as client:
        assert client.get("/api/me").json() == {"name": "vera", "role": "viewer", "rights": ["poses", "pictures"]}
        assert client.get("/api/hello").status_code == 200
        kept = dict(client.cookies)
        assert client.post("/api/logout").status_code == 204
        assert client.get("/api/me").status_code == 401
        client.cookies.update(kept)
        assert client.get("/api/me").status_code == 401, "the session is over, not only the cookie gone"


@pytest.mark.parametrize(("scheme", "name"), [("http", COOKIE), ("https", SECURE_COOKIE)])
def test_the_cookie_is_kept_from_scripts_other_websites_and_plain_connections(scheme: str, name: str) -> None:
    with Door().client(scheme) as client:
        answer = client.post("/api/login", json=VERA)
    cookie = SimpleCookie(answer.headers["set-cookie"])[name]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "strict"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert bool(cookie["secure"]) is (scheme == "https")
    assert int(cookie["max-age"]) == LONGEST_S
    assert len(cookie.value) >= 43
    assert VERA["password"] not in answer.headers["set-cookie"]


def test_behind_a_proxy_that_encrypts_the_cookie_is_secure_too() -> None:
    door = Door(settings=settings(origins=["https://wall.example.com"]))
    with door.client() as client:
        answer = client.post("/api/login", json=VERA, headers={"origin": "https://wall.example.com"})
    assert answer.headers["set-cookie"].startswith(SECURE_COOKIE)


@pytest.mark.parametrize(
    "login",
    [
        {"name": "vera", "password": "wrong"},
        {"name": "nobody", "password": PASSWORDS["vera"]},
        {"name": "olga", "password": PASSWORDS["vera"]},
        {"name": "screen", "password": TOKEN},
        {"token": "wrong"},
        {"token": PASSWORDS["vera"]},
        {"name": "vera", "password": "x" * 2000},
    ],
)
def test_a_wrong_login_says_the_same_for_known_and_unknown_names(
    login: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []
    monkeypatch.setattr("wall.access.accounts.is_password", lambda *given: checked.append(given) or False)
    answer = Door().client().post("/api/login", json=login)
    assert answer.status_code == 401
    assert answer.json() == {"sentence": "no such name and password, or token"}
    assert "set-cookie" not in answer.headers
    assert len(checked) == ("password" in login), "also for a name that nobody has, so that it takes as long"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"name": "vera"}', b'{"name": 5, "password": "x"}', b'{"password": "x"', b"\xff"]
)
def test_a_malformed_login_is_refused_with_a_sentence(body: bytes) -> None:
    answer = Door().client().post("/api/login", content=body)
    assert answer.status_code in {400, 401}
    assert answer.json()["sentence"]


def test_failed_logins_wait_longer_and_longer_and_right_ones_as_well_meanwhile() -> None:
    door = Door()
    client = door.client()
    wrong = {"name": "vera", "password": "wrong"}
    assert [client.post("/api/login", json=wrong).status_code for _ in range(6)] == [401] * 6
    answer = client.post("/api/login", json=VERA)
    assert answer.status_code == 429
    assert answer.json() == {"sentence": "too many logins failed: wait 1 second and try again"}
    assert answer.headers["retry-after"] == "1"
    door.clock.at_s += 1.0
    assert client.post("/api/login", json=wrong).status_code == 401
    assert client.post("/api/login", json=VERA).json()["sentence"].endswith("wait 2 seconds and try again")
    door.clock.at_s += 2.0
    assert client.post("/api/login", json=VERA).status_code == 204
    assert door.client(address="192.0.2.10").post("/api/login", json=wrong).status_code == 401


def test_a_failed_login_is_logged_with_its_address_and_without_what_was_typed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "posebus.wall.audit"):
        Door().client().post("/api/login", json={"name": "my password\n", "password": "secret"})
        with Door().logged_in("olga"):
            pass
    first, second = caplog.messages
    assert first == "a login failed from 192.0.2.9, for a name that begins with 'my '"
    assert second == "olga (operator) from 192.0.2.9 logged in"


def test_a_program_shows_its_token_with_each_request() -> None:
    with Door().client() as client:
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/api/me", headers=headers).json()["name"] == "screen"
        assert client.post("/api/hello", headers=headers, content=b"abc").json() == {"size": 3}
        with client.websocket_connect("/ws", headers=headers) as page:
            assert page.receive_text() == "hello"
        for wrong in (f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", TOKEN):
            assert client.get("/api/hello", headers={"authorization": wrong}).status_code == 401
        assert client.post("/api/login", json={"token": TOKEN}).status_code == 204
        assert client.get("/api/me").json()["name"] == "screen"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://testserver:444"])
def test_a_page_of_another_website_can_neither_change_anything_nor_open_a_websocket(origin: str) -> None:
    with Door().logged_in("olga") as client:
        answer = client.post("/api/hello", headers={"origin": origin})
        assert answer.status_code == 403
        assert "another website" in answer.json()["sentence"]
        assert client.post("/api/logout", headers={"origin": origin}).status_code == 403
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers={"origin": origin}):
            pass
        del client.headers["origin"]
        assert client.post("/api/hello").status_code == 403, "a cookie without an origin"
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws"):
            pass
        assert client.get("/api/me").status_code == 200


def test_another_website_cannot_log_a_browser_in() -> None:
    answer = Door().client().post("/api/login", json=VERA, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_wall_without_people_lets_in_all_on_this_machine_and_no_other_name() -> None:
    door = Door(settings=WallSettings())
    with TestClient(door.app, "http://localhost:8088") as client:
        assert client.get("/api/me").json()["role"] == "operator"
        assert client.post("/api/hello").status_code == 200
        assert client.get("/api/hello", headers={"host": "evil.example:8088"}).status_code == 403
        assert client.get("/", headers={"host": "evil.example:8088"}).status_code == 403
        assert client.post("/api/hello", headers={"origin": "http://evil.example"}).status_code == 403
        assert client.get("/api/hello", headers={"x-forwarded-for": "203.0.113.1"}).status_code == 403


def test_a_websocket_closes_when_its_session_is_over() -> None:
    door = Door()
    with door.logged_in("vera") as client, client.websocket_connect("/ws") as page:
        assert page.receive_text() == "hello"
        page.send_text("again")
        assert page.receive_text() == "again"
        assert client.post("/api/logout").status_code == 204
        with pytest.raises(WebSocketDisconnect) as closed:
            page.receive_text()
    assert closed.value.code == LOGGED_OUT
    assert door.access.sockets.total == 0


def test_an_idle_session_ends_but_not_while_a_page_is_open() -> None:
    door = Door()
    with door.logged_in("vera") as client:
        with client.websocket_connect("/ws") as page:
            page.receive_text()
            door.clock.at_s += 2 * IDLE_S
            assert client.get("/api/me").status_code == 200
        door.clock.at_s += IDLE_S
        assert client.get("/api/me").status_code == 401


def test_people_that_the_configuration_no_longer_has_are_out_at_once() -> None:
    door = Door()
    with (
        door.logged_in("vera") as vera,
        door.logged_in("olga") as olga,
        vera.websocket_connect("/ws") as page,
        olga.websocket_connect("/ws") as other,
        door.client().websocket_connect("/ws", headers={"authorization": f"Bearer {TOKEN}"}) as program,
    ):
        assert [one.receive_text() for one in (page, other, program)] == ["hello"] * 3
        fewer = settings().model_copy(update={"people": {"olga": door.settings.people["olga"]}, "tokens": {}})
        assert olga.portal is not None
        other.portal.call(door.access.use, fewer)
        for gone in (page, program):
            with pytest.raises(WebSocketDisconnect):
                gone.receive_text()
        other.send_text("still here")
        assert other.receive_text() == "still here"
        assert vera.get("/api/me").status_code == 401
        assert olga.get("/api/me").status_code == 200


def test_a_changed_password_or_role_ends_the_sessions_opened_before() -> None:
    door = Door()
    with door.logged_in("vera") as client:
        person = door.settings.people["vera"].model_copy(update={"role": "privacy viewer"})
        door.access.use(door.settings.model_copy(update={"people": {"vera": person}}))
        assert client.get("/api/me").status_code == 401


def test_a_new_login_ends_the_session_of_the_same_browser() -> None:
    door = Door()
    with door.logged_in("vera") as client:
        assert client.post("/api/login", json={"name": "olga", "password": PASSWORDS["olga"]}).status_code == 204
        assert client.get("/api/me").json()["name"] == "olga"
        assert len(door.access.sessions) == 1


def test_requests_are_limited_for_each_session_and_others_are_served() -> None:
    door = Door()
    with door.logged_in("vera") as client, door.logged_in("olga") as other:
        codes = [client.get("/api/me").status_code for _ in range(int(BURST) + 1)]
        assert codes == [200] * int(BURST) + [429]
        assert other.get("/api/me").status_code == 200
        door.clock.at_s += 1.0
        assert client.get("/api/me").status_code == 200


def test_the_number_of_websockets_of_one_session_is_limited() -> None:
    door = Door()
    with door.logged_in("vera") as client:
        for number in range(MOST_SOCKETS):
            door.access.sockets.add(next(iter(door.access.sessions._by_key)), lambda number=number: None)
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws"):
            pass


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused_also_if_it_was_not_announced(announced: bool) -> None:
    chunk = b"x" * 100_000
    count = MAX_BODY_BYTES // len(chunk) + 1
    with Door().logged_in("olga") as client:
        content = chunk * count if announced else (chunk for _ in range(count))
        answer = client.post("/api/hello", content=content)
        assert answer.status_code == 413
        assert "1,000,000 bytes" in answer.json()["sentence"]
        assert client.post("/api/hello", content=chunk * (count - 1)).json() == {"size": MAX_BODY_BYTES}
    assert Door().client().post("/api/login", content=b"x" * (middleware.LOGIN_BYTES + 1)).status_code == 413


def test_an_unexpected_error_says_nothing_about_itself() -> None:
    with Door().logged_in("vera") as client:
        answer = client.get("/api/fails")
    assert answer.status_code == 500
    assert answer.json() == {"sentence": "something went wrong in the wall; its log says what"}
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_every_answer_has_the_headers_that_tell_browsers_what_pages_may_do() -> None:
    client = Door().client()
    for path in ("/api/hello", "/api/me", "/api/login", "/static/wall.js", "/nothing"):
        headers = client.get(path).headers
        for name, value in headers_for(path).items():
            assert headers[name] == value
    assert client.get("/api/hello").headers["cache-control"] == "no-store"


def policy(path: str) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in headers_for(path)["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("path", ["/", "/camera", "/static/wall.js", "/network/ort.wasm", "/api/me"])
def test_no_page_runs_inline_scripts_or_styles_or_is_framed(path: str) -> None:
    found = policy(path)
    assert "unsafe-inline" not in str(found)
    assert "'unsafe-eval'" not in str(found)
    assert found["default-src"] == "'self'"
    assert found["frame-ancestors"] == found["object-src"] == found["base-uri"] == "'none'"
    assert found["img-src"] == "'self' blob: data:"
    assert ("'wasm-unsafe-eval'" in found["script-src"]) is path.startswith(("/camera", "/static/", "/network/"))
    assert headers_for(path)["X-Content-Type-Options"] == "nosniff"


def test_the_webcam_is_for_the_camera_page_alone() -> None:
    assert "camera=(self)" in headers_for("/camera")["Permissions-Policy"]
    assert "camera=()" in headers_for("/")["Permissions-Policy"]
    assert "microphone=()" in headers_for("/camera")["Permissions-Policy"]
