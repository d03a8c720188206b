"""The settings of the wall: who may open it, where, and what is refused with which sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from posebus.config.loading import check_settings, load_settings
from posebus.config.wall.places import is_loopback
from posebus.config.wall.serving import refusal_to_serve, wall_address
from posebus.config.wall.wall_settings import WallSettings
from posebus.reloading.difference import difference
from posebus.reloading.sentences import wall_lines

HASH = f"scrypt:32768:8:3:{'A' * 22}:{'B' * 43}"
TOKEN_HASH = f"sha256:{'0' * 64}"
VERA = {"password": HASH, "role": "viewer"}


def problems(text: str, tmp_path: Path) -> list[str]:
    file = tmp_path / "posebus.yaml"
    file.write_text(text)
    return [str(problem).removeprefix(str(tmp_path)) for problem in check_settings(file, {}, {}).problems]


def test_the_default_is_for_this_machine_alone() -> None:
    settings = WallSettings()
    assert (settings.is_local, settings.asks_who, settings.is_encrypted) == (True, False, False)
    assert wall_address(settings) == "http://127.0.0.1:8088/"
    assert refusal_to_serve(settings) is None


@pytest.mark.parametrize("password", ["secret of vera", "12345", "[1, 2]", "scrypt:secret", f"'{HASH}x!'", "null"])
def test_a_plain_password_is_refused_with_what_to_do_and_not_repeated(password: str, tmp_path: Path) -> None:
    [problem] = problems(f"wall:\n  people:\n    vera: {{password: {password}, role: viewer}}\n", tmp_path)
    assert problem == (
        "/posebus.yaml:3:12: wall.people.vera.password: must be the hash of a password, never the password itself: "
        "'posebus wall --make-password' asks for the password and prints its hash, which begins with scrypt:"
    )


def test_a_plain_token_is_refused_with_what_to_do_and_not_repeated(tmp_path: Path) -> None:
    [problem] = problems("wall: {tokens: {screen: {token: secret, role: viewer}}}", tmp_path)
    assert "never the token itself: 'posebus wall --make-token' makes a token" in problem
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("people: {vera: {password: HASH, role: vewer}}", "did you mean 'viewer'?"),
        ("people: {vera: {password: HASH}}", "wall.people.vera.role: is required and missing"),
        ("people: {'a b': {password: HASH, role: viewer}}", "the name 'a b' is not allowed"),
        ("people: [vera]", "must hold people by name; write 'NAME:' and below it"),
        ("tokens: [screen]", "must hold tokens by name; write 'NAME:' and below it"),
        ("port: 0", "must be at least 1"),
        ("tls: maybe", "must be 'auto' or 'off'"),
        ("host: ''", "at least 1 character"),
        ("certificate: a.pem", "wall.certificate: wall.certificate and wall.key belong together"),
        ("certificate: a.pem, key: b.pem, tls: off", "wall.tls is off, and wall.certificate says the opposite"),
        ("origins: [wall.example.com]", "must be an origin such as https://wall.example.com"),
        ("origins: ['https://wall.example.com/path']", "must be an origin such as"),
        ("origins: ['https://me:secret@wall.example.com']", "must be an origin such as"),
        ("browser_camera: true", "did you mean 'browser_cameras'?"),
    ],
)
def test_a_mistake_is_named(text: str, sentence: str, tmp_path: Path) -> None:
    [problem] = problems(f"wall: {{{text.replace('HASH', HASH)}}}", tmp_path)
    assert sentence in problem
    assert "secret" not in problem


def test_a_person_and_a_token_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="which is the name of a person"):
        WallSettings.model_validate(
            {"people": {"vera": VERA}, "tokens": {"vera": {"token": TOKEN_HASH, "role": "viewer"}}}
        )


def test_origins_are_kept_as_browsers_send_them() -> None:
    given = ["https://Wall.Example.com/", "https://wall.example.com:443", "http://x:8080", "http://[::1]:80"]
    found = WallSettings.model_validate({"origins": given}).origins
    assert found == ["https://wall.example.com", "https://wall.example.com", "http://x:8080", "http://[::1]"]


def test_tls_off_is_a_word_also_where_yaml_reads_a_truth_value(tmp_path: Path) -> None:
    file = tmp_path / "posebus.yaml"
    file.write_text("wall:\n  tls: off\n")
    assert load_settings(file, {}, {}).wall.tls == "off"
    assert WallSettings.model_validate({"tls": False}).tls == "off"


def test_a_token_may_come_from_the_environment() -> None:
    environ = {
        "POSEBUS_WALL__TOKENS__SCREEN__TOKEN": TOKEN_HASH,
        "POSEBUS_WALL__TOKENS__SCREEN__ROLE": "privacy viewer",
        "POSEBUS_WALL__PORT": "9000",
    }
    settings = load_settings(None, environ, {}).wall
    assert settings.tokens["screen"].role == "privacy viewer"
    assert settings.port == 9000


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("wall.localhost.", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
    ],
)
def test_which_hosts_are_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"host": "0.0.0.0"}, "without logins: name people under wall.people"),
        ({"host": "192.0.2.1", "tls": "off", "people": {"vera": VERA}}, "without encryption, since passwords"),
        ({"host": "wall.example", "people": {"vera": VERA}}, None),
        ({"host": "0.0.0.0", "tokens": {"screen": {"token": TOKEN_HASH, "role": "viewer"}}}, None),
        ({"tls": "off", "people": {"vera": VERA}}, None),
    ],
)
def test_other_machines_get_nothing_without_login_and_encryption(
    given: dict[str, object], sentence: str | None
) -> None:
    refusal = refusal_to_serve(WallSettings.model_validate(given))
    assert (refusal is None) if sentence is None else (refusal is not None and sentence in refusal)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"host": "0.0.0.0"}, "https://localhost:8088/"),
        ({"host": "::", "port": 443}, "https://localhost/"),
        ({"host": "::1"}, "http://[::1]:8088/"),
        ({"port": 80}, "http://127.0.0.1/"),
        ({"host": "wall.example", "port": 80}, "https://wall.example:80/"),
        ({"certificate": "a", "key": "b"}, "https://127.0.0.1:8088/"),
    ],
)
def test_the_address_for_a_browser(given: dict[str, object], address: str) -> None:
    assert wall_address(WallSettings.model_validate(given)) == address


def test_changes_are_followed_and_said_without_hashes() -> None:
    before = load_settings(None, {}, {})
    after = before.model_copy(update={"wall": WallSettings.model_validate({"people": {"vera": VERA}, "port": 9000})})
    found = difference(before, after)
    assert found
    [line] = wall_lines(found)
    assert line.startswith("wall.port was 8088 and is 9000; wall.people has changed: ")
    assert "scrypt" not in line
