"""`posebus wall` and `up --wall`: hashes, tokens, and what is refused in one sentence before anything starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from posebus.config.wall.wall_settings import WallSettings
from posebus.errors import ConfigError
from posebus_cli.app import app
from wall.access.hashes import hash_of_token, is_password

UNREACHABLE = "redis://127.0.0.1:1"


def test_a_password_becomes_a_hash_that_the_settings_take() -> None:
    done = CliRunner().invoke(app, ["wall", "--make-password"], input="a long password\n")
    assert done.exit_code == 0
    hashed = done.stdout.strip()
    assert is_password("a long password", hashed)
    WallSettings.model_validate({"people": {"vera": {"password": hashed, "role": "viewer"}}})
    assert "a long password" not in done.output


def test_a_short_password_is_refused() -> None:
    done = CliRunner().invoke(app, ["wall", "--make-password"], input="elevenchars\n")
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception) == "the password is too short: it needs at least 12 characters"


def test_a_token_comes_with_its_hash() -> None:
    done = CliRunner().invoke(app, ["wall", "--make-token"])
    shown = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert hash_of_token(shown["token"]) == shown["hash"]
    assert len(shown["token"]) >= 43


def test_cameras_are_not_shown_to_other_machines_without_logins(tmp_path: Path) -> None:
    file = tmp_path / "posebus.yaml"
    file.write_text("cameras: {door: {source: 'synthetic:bus'}}\nwall: {host: 0.0.0.0}\n")
    done = CliRunner().invoke(app, ["up", str(file)])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith(
        "the wall is not served at 0.0.0.0, where other machines can connect, without"
    )
    assert "posebus wall --make-password" in str(done.exception)


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["--host", "192.0.2.1"]])
def test_a_wall_alone_is_refused_before_it_asks_the_broker(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["posebus"])
    done = CliRunner().invoke(app, ["wall", "--redis", UNREACHABLE, *arguments])
    assert isinstance(done.exception, ConfigError), done.output
    assert "name people under wall.people" in str(done.exception)
