"""User and password of a camera, so that the password stands neither on the command line nor in the shell's history."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from posebus.config.redaction import redact_url
from posebus.errors import ConfigError

PASSWORD_ENV = "POSEBUS_CAMERA_PASSWORD"
MOST_CHARACTERS = 1000

UserOption = Annotated[
    str | None,
    typer.Option(
        "--user", metavar="NAME", help=f"User of the camera; its password is asked for, or read from {PASSWORD_ENV}."
    ),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Read the password from this file; - reads standard input."),
]


def read_password(user: str | None, file: Path | None) -> str | None:
    """The password of `user`, from `file`, the environment or the terminal; None without a user. Raises ConfigError."""
    if user is None:
        if file is not None:
            raise ConfigError("--password-file is for a user: add --user NAME")
        return None
    text = _first_line(file) if file is not None else os.environ.get(PASSWORD_ENV) or _asked(user)
    if not text or len(text) > MOST_CHARACTERS:
        raise ConfigError(f"the password of {user!r} is {'too long' if text else 'empty'}")
    return text


def with_login(source: str, user: str | None, password: str | None) -> str:
    """The address `source` with a login. Raises ConfigError where it is no address, or has one already."""
    if user is None:
        return source
    parts = urlsplit(source)
    if not (parts.scheme and parts.netloc) or "@" in parts.netloc:
        raise ConfigError(f"{redact_url(source)} takes no --user: it is no address, or has a login already")
    login = quote(user, safe="") if password is None else f"{quote(user, safe='')}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{login}@{parts.netloc}").geturl()


def read_source(source: str) -> str:
    """`source`, or where it is - the first line of standard input. Raises ConfigError."""
    if source != "-":
        return source
    line = _first_line(Path("-"))
    if not line:
        raise ConfigError("standard input holds no source: write its address on the first line")
    return line


def _first_line(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.readline(MOST_CHARACTERS + 2).rstrip("\r\n")
        with file.open(encoding="utf-8") as opened:
            return opened.readline(MOST_CHARACTERS + 2).rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"{file} cannot be read: {reason}") from None


def _asked(user: str) -> str:
    if not sys.stdin.isatty():
        raise ConfigError(f"the password of {user!r} is missing: give --password-file FILE, or set {PASSWORD_ENV}")
    import getpass

    try:
        return getpass.getpass(f"Password of {user}: ")
    except EOFError:
        return ""
