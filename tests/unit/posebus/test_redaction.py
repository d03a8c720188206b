"""Passwords are hidden wherever they are in an address; everything else stays."""

from __future__ import annotations

import pytest

from posebus.config.redaction import redact_text, redact_url


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:secret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me:sec/ret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me:sec@ret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me:sec ret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me:sec#ret?x@cam:554", "rtsp://***@cam:554"),
        ("rtsp://secret@[::1", "rtsp://***@[::1"),
        ("rtsp://cam/user=me&password=secret&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("http://cam/video?channel=1&PWD=secret", "http://cam/video?channel=1&PWD=***"),
        ("redis://host:1/0?password=secret&ssl_ca_certs=/ca.pem", "redis://host:1/0?password=***&ssl_ca_certs=/ca.pem"),
        ("rediss://:secret@host/0?ssl_keyfile=/a/key.pem", "rediss://***@host/0?ssl_keyfile=/a/key.pem"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("/videos/lobby.mp4", "/videos/lobby.mp4"),
        ("synthetic:bus", "synthetic:bus"),
        ("http://cam/mjpg?monkey=1&camera=2", "http://cam/mjpg?monkey=***&camera=2"),
    ],
)
def test_credentials_of_an_address_are_hidden(address: str, shown: str) -> None:
    assert redact_url(address) == shown
    assert "secret" not in redact_text(redact_url(address))


def test_text_around_addresses_is_kept() -> None:
    text = "no answer from 'rtsp://a:b@c/1' nor from http://d/?token=e, said <redis://:f@g>"
    assert redact_text(text) == "no answer from 'rtsp://***@c/1' nor from http://d/?token=***, said <redis://***@g>"
