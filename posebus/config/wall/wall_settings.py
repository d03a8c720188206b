"""The settings of the live wall: where it is served, and who may open it. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from posebus.config.wall.places import is_loopback
from posebus.config.worker_settings import Strict

DEFAULT_PORT = 8088
RoleName = Literal["operator", "viewer", "privacy viewer"]

PERSON_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$"
PASSWORD_HASH_PATTERN = r"^scrypt:[0-9]{1,7}:[0-9]{1,2}:[0-9]{1,2}:[A-Za-z0-9_-]{16,64}:[A-Za-z0-9_-]{32,128}$"
"""scrypt's N, r and p, then salt and key in base64url: see `wall.access.hashes`."""
TOKEN_HASH_PATTERN = r"^sha256:[0-9a-f]{64}$"


def _check_name(name: object) -> object:
    if isinstance(name, str) and not re.match(PERSON_NAME_PATTERN, name):
        raise ValueError(
            f"the name {name[:70]!r} is not allowed: use 1 to 63 letters, digits, '.', '_', '@' or '-', starting with "
            "a letter or digit"
        )
    return name


def _check_password(value: object) -> object:
    # The value itself is never in the sentence: it may be a password.
    if not isinstance(value, str) or not re.match(PASSWORD_HASH_PATTERN, value):
        raise ValueError(
            "must be the hash of a password, never the password itself: 'posebus wall --make-password' asks for the "
            "password and prints its hash, which begins with scrypt:"
        )
    return value


def _check_token(value: object) -> object:
    if not isinstance(value, str) or not re.match(TOKEN_HASH_PATTERN, value):
        raise ValueError(
            "must be the hash of a token, never the token itself: 'posebus wall --make-token' makes a token and prints "
            "its hash, which begins with sha256:"
        )
    return value


def _check_origin(value: object) -> object:
    """Return an origin in the form in which browsers send it: lower case, without a slash at its end."""
    if not isinstance(value, str):
        return value
    origin = value.strip().lower().removesuffix("/")
    problem = "must be an origin such as https://wall.example.com: scheme, name, and a port if it is not the usual one"
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        raise ValueError(problem) from None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    plain = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    if parts.scheme not in {"http", "https"} or not parts.hostname or plain != origin:
        raise ValueError(problem)
    return origin.removesuffix(":443" if parts.scheme == "https" else ":80")


def _read_tls(value: object) -> object:
    # YAML 1.1 reads `off` as false, and so do programs that write it.
    return {False: "off", True: "auto"}[value] if isinstance(value, bool) else value


PersonName = Annotated[str, BeforeValidator(_check_name), StringConstraints(pattern=PERSON_NAME_PATTERN)]
PasswordHash = Annotated[str, BeforeValidator(_check_password), StringConstraints(pattern=PASSWORD_HASH_PATTERN)]
TokenHash = Annotated[str, BeforeValidator(_check_token), StringConstraints(pattern=TOKEN_HASH_PATTERN)]
Origin = Annotated[str, BeforeValidator(_check_origin)]


class WallPerson(Strict):
    """A person, who logs in with a name and a password."""

    password: PasswordHash = Field(description="Hash of the password: `posebus wall --make-password` prints it")
    role: RoleName = Field(
        description="operator: also changes rules and cameras, and may be a camera; viewer: sees pictures; privacy "
        "viewer: sees skeletons only"
    )


class WallToken(Strict):
    """A program, or a screen, that shows a token."""

    token: TokenHash = Field(description="Hash of the token: `posebus wall --make-token` prints both")
    role: RoleName = Field(description="As for people")


class WallSettings(Strict):
    """The live wall: `posebus wall`, and `posebus up --wall`."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=253,
        description="Address of this machine at which the wall is served; 0.0.0.0: at all of them, which needs people "
        "or tokens",
    )
    port: int = Field(default=DEFAULT_PORT, ge=1, le=65535, description="Port of the wall")
    people: dict[PersonName, WallPerson] = Field(
        default_factory=dict,
        description="Who may log in, by name; without people and tokens, all users of this machine are operators",
    )
    tokens: dict[PersonName, WallToken] = Field(default_factory=dict, description="Programs that may, by name")
    tls: Annotated[Literal["auto", "off"], BeforeValidator(_read_tls)] = Field(
        default="auto",
        description="auto: HTTPS wherever other machines can connect, with `certificate` or else one that the wall "
        "makes itself; off: plain HTTP, for this machine alone, for instance behind a proxy",
    )
    certificate: Path | None = Field(
        default=None, description="PEM file with the wall's certificate and those between it and the authority"
    )
    key: Path | None = Field(default=None, description="PEM file with the key of `certificate`")
    origins: list[Origin] = Field(
        default_factory=list,
        max_length=100,
        description="Addresses under which browsers reach the wall through a proxy, such as https://wall.example.com",
    )
    browser_cameras: bool = Field(default=True, description="Whether the page /camera can make a browser a camera")

    @model_validator(mode="after")
    def _check_together(self) -> WallSettings:
        twice = sorted(self.people.keys() & self.tokens.keys())
        if twice:
            raise ValueError(f"wall.tokens has {twice[0]}, which is the name of a person: give each a name of its own")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("wall.certificate and wall.key belong together: set both, or neither")
        if self.certificate is not None and self.tls == "off":
            raise ValueError("wall.tls is off, and wall.certificate says the opposite: remove one of them")
        return self

    @property
    def asks_who(self) -> bool:
        """Whether people and programs have to log in."""
        return bool(self.people or self.tokens)

    @property
    def is_local(self) -> bool:
        """Whether only programs on this machine can connect."""
        return is_loopback(self.host)

    @property
    def is_encrypted(self) -> bool:
        """Whether it is served by HTTPS."""
        return self.certificate is not None or (self.tls == "auto" and not self.is_local)
