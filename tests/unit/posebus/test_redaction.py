"""Of an address only what is known to be harmless is shown, in whatever form and text it comes."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest
from pydantic import TypeAdapter, ValidationError

from posebus.config.redaction import redact_known, redact_text, redact_url
from posebus.logs.formats import LineFormatter

SECRET = "S3cr3t"

FORMS = (
    # logins
    f"rtsp://u:{SECRET}@192.0.2.5/s",
    f"rtsp://{SECRET}@h/x",
    f"rediss://:{SECRET}@h/0",
    f"redis://:ab@cd:{SECRET}/x@localhost:6379",
    f"rtsp://u:pa'{SECRET}@192.0.2.5/s",
    f'rtsp://u:pa"{SECRET}@192.0.2.5/s',
    f'rtsp://u:pa\\"{SECRET}@192.0.2.5/s',
    f"rtsp://u:{SECRET}#x@192.0.2.5/s",
    f"rtsp://u:{SECRET}/x@192.0.2.5/s",
    f"rtsp://u:x/{SECRET}?@192.0.2.5/s",
    f"rtsp://u:{SECRET} x@192.0.2.5/s",
    f"rtsp://u:x {SECRET} y@192.0.2.5/s",
    f"rtsp://u:<{SECRET}@192.0.2.5/s",
    f"rtsp://u:a://{SECRET}@h/x",
    f"rtsp://u:a@{SECRET}@h/x",
    f"rtsp://u:p%40{SECRET}@h/x",
    f"rtsp://u:{SECRET}",
    f"rtsp:/u:{SECRET}@192.0.2.5/s",
    f"rtsp//u:{SECRET}@192.0.2.5",
    f"u:{SECRET}@192.0.2.5/s",
    f"RTSP://U:{SECRET}@H/1",
    f"rtsp%3A%2F%2Fu%3A{SECRET}%40h%2Fx",
    f"rtsp:\\/\\/u:{SECRET}@h\\/x",
    # parameters
    f"http://192.0.2.5/videostream.cgi?loginuse=admin&loginpas={SECRET}",
    f"rtsp://192.0.2.5/live?authbasic={SECRET}",
    f"http://192.0.2.5/cgi-bin/mjpeg?u=admin&p={SECRET}",
    f"http://h/x?password%3D{SECRET}",
    f"http://h/x?pass[]={SECRET}",
    f"http://h/x?password={SECRET}#{SECRET}x",
    f"http://h/x?password=a<{SECRET}",
    f"http://h/x?password=a'{SECRET}",
    f'http://h/x?password="{SECRET}"',
    f"http://h/x?password=a {SECRET}",
    f"http://h/x?password=a;{SECRET}",
    f"http://h/x?pwd=a/{SECRET}",
    f"http://h/x?pwd=a@{SECRET}",
    f"rtsp://u:pw@h/x?token=a@{SECRET}",
    f"http://h/x?fps={SECRET}",
    f"http://h/x?channel=1&{SECRET}",
    f"http://h/?url=rtsp%3A%2F%2Fu%3A{SECRET}%40h",
    f"srt://h:9000?streamid=#!::u=admin,p={SECRET}",
    f"redis://host/0?username=u&password={SECRET}",
    # paths
    f"rtsp://h:554/user=admin&password={SECRET}&channel=1",
    f"rtsp://h:554/user=a_password={SECRET}_channel=1_stream=0.sdp",
    f"rtsp://h/user=admin&password={SECRET}/x&channel=1",
    f"rtsp://h/user_admin_password_{SECRET}_ch1",
    f"http://h/token/{SECRET}/stream",
    f"http://h/{SECRET}/stream?credentials=x",
    f"rtmp://h/live/{SECRET}",
    f"https://h/hls/{SECRET * 4}/index.m3u8",
    f"http://h/x#{SECRET}",
)
OPTIONS = (
    f"Authorization: Basic {SECRET}",
    f'headers="Authorization: Digest username=u, response={SECRET}"',
    f"X-Api-Key: {SECRET}",
    f"Cookie: sid={SECRET}",
    f"Bearer {SECRET}",
    f"authbasic={SECRET}",
    f"u=admin&p={SECRET}",
    f"video.cgi?u=admin&p={SECRET}",
    f'{{"password": "{SECRET}"}}',
    f"{{'password': 'x{SECRET}'}}",
    f'\\"password\\": \\"{SECRET}\\"',
    f"password: {SECRET}",
    f"REDIS_PASSWORD={SECRET}",
    f"POSEBUS_CAMERAS__DOOR__SOURCE=rtsp://u:{SECRET}@h/1",
    f"--password {SECRET}",
    f"passphrase={SECRET},latency=200",
)
AROUND: tuple[Callable[[str], str], ...] = (
    "camera {} is away".format,
    "camera 'a': {}: refused".format,
    lambda form: f"cannot open {form!r}, trying again",
    lambda form: json.dumps({"source": form, "fps": 5}),
    lambda form: json.dumps(json.dumps([form])),
    lambda form: repr([form, "rtsp://h/1"]),
    "cameras:\n  door:\n    source: {}\n    fps: 5".format,
    "<{}>.".format,
    "({})".format,
    lambda form: f"GET {quote(form, safe='')} failed" if "://" in form else form,
)


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_an_address_leaks_in_any_text(form: str) -> None:
    assert SECRET not in redact_url(form)
    assert redact_text(redact_url(form)) == redact_url(form)
    assert [text for around in AROUND if SECRET in (text := redact_text(around(form)))] == []


@pytest.mark.parametrize("text", OPTIONS)
def test_headers_options_and_fields_do_not_leak(text: str) -> None:
    assert SECRET not in redact_text(text)
    assert SECRET not in redact_text(f"failed with {text}")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:secret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me:sec/ret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me:sec ret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://me:sec#ret?x@cam:554", "rtsp://***@cam:554"),
        ("rtsp://secret@[::1", "rtsp://***@[::1"),
        ("rtsp://cam/user=me&password=secret&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("http://cam/video?channel=1&PWD=secret", "http://cam/video?channel=1&PWD=***"),
        ("redis://host:1/0?password=secret&ssl_ca_certs=/ca.pem", "redis://host:1/0?password=***&ssl_ca_certs=/ca.pem"),
        ("rediss://:secret@host/0?ssl_keyfile=/a/key.pem", "rediss://***@host/0?ssl_keyfile=/a/key.pem"),
        ("http://cam/mjpg?monkey=1&camera=2", "http://cam/mjpg?monkey=***&camera=2"),
        ("rtmp://host/live/some-key", "rtmp://host/live/***"),
        ("https://cam/token/word/live", "https://cam/token/***/live"),
    ],
)
def test_rest_of_an_address_is_kept(address: str, shown: str) -> None:
    assert redact_url(address) == shown


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://10.0.0.5/stream2 refuses the login; put the right user and password into its address",
        "rtsp://10.0.0.5:554/live/ch0",
        "rtsp://h/h264Preview_01_main",
        "rtsp://h/Streaming/Channels/101",
        "rtsp://h/cam/realmonitor?channel=1&subtype=0",
        "rtsp://h/axis-media/media.amp?resolution=640x480&fps=5",
        "rtsp://h/0/onvif/profile1/media.smp",
        "rtsp://h/videoMain and rtsp://h/ch01.264",
        "http://h/mjpg/video.mjpg",
        "https://h/hls/door/index.m3u8",
        "rtmp://h/live/ch0",
        "rtsp://[fe80::1%eth0]:554/s",
        "redis://a:1,b:2,c:3/0",
        "unix:///run/redis.sock?db=0",
        "file:///home/u/My Video (1).mp4",
        "/videos/lobby.mp4",
        "synthetic:bus?fps=3",
        "camera hall: 3 frames lost, reason=overflow epoch=2 keypoints=17 keyframe=1 passed=3",
        "wrong password: check it; token 'x' at line 3: check it",
        "12:30:01 INFO x: y",
        "top --redis redis://localhost:6399, or posebus watch --redis redis://localhost:6399",
    ],
)
def test_what_tells_nothing_secret_is_shown(text: str) -> None:
    assert redact_text(text) == text


def test_text_around_addresses_is_kept() -> None:
    text = "no answer from 'rtsp://a:b@c/1' nor from http://d/?token=e, said <redis://:f@g>"
    assert redact_text(text) == "no answer from 'rtsp://***@c/1' nor from http://d/?token=***, said <redis://***@g>"


def test_errors_of_libraries_do_not_leak() -> None:
    broken = f"redis://:ab@cd:{SECRET}/x@localhost:6379"
    with pytest.raises(ValueError, match=SECRET) as port:
        _ = urlsplit(broken).port
    assert SECRET not in redact_known(str(port.value), broken)
    with pytest.raises(ValidationError, match=SECRET) as invalid:
        TypeAdapter(dict[str, int]).validate_python({"source": f"rtsp://u:{SECRET}@h/1"})
    assert SECRET not in redact_text(str(invalid.value))
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("number", type=int)
    with pytest.raises(argparse.ArgumentError, match=SECRET) as wrong:
        parser.parse_args([broken])
    assert SECRET not in redact_text(str(wrong.value))


def log_line(message: str, *arguments: object, addresses: tuple[str, ...] = (), error: Exception | None = None) -> str:
    where = None if error is None else (type(error), error, error.__traceback__)
    return LineFormatter(addresses).format(logging.LogRecord("x", logging.ERROR, "f", 1, message, arguments, where))


def test_log_hides_parts_of_known_addresses_wherever_they_appear() -> None:
    line = log_line("a library said hunter22 and admin", addresses=("rtsp://admin:hunter22@cam/live",))
    assert line.endswith("a library said *** and ***")


def test_log_record_is_one_line_without_control_characters() -> None:
    line = log_line("reads %s", "a\x1b[2J\u202e.mp4\n2026-01-01 00:00:00,000 ERROR forged")
    assert line.endswith("reads a\\x1b[2J\\u202e.mp4\\n2026-01-01 00:00:00,000 ERROR forged")


def test_traceback_in_the_log_is_indented_and_redacted() -> None:
    try:
        raise ValueError(f"rtsp://u:{SECRET}@h/1 failed\n2026-01-01 00:00:00,000 ERROR forged \x07")
    except ValueError as error:
        text = log_line("broken", error=error)
    first, *others = text.splitlines()
    assert first.endswith("broken")
    assert len(others) > 2
    assert all(line.startswith("  ") for line in others)
    assert SECRET not in text
    assert "\x07" not in text


@pytest.mark.parametrize(
    "text",
    ["a://" * 5000, "a.a-" * 5000, "rtsp://a " * 2000 + "@", "x=&" * 5000, "\\" * 20000, "http://h/" + "/ch" * 5000],
)
def test_hostile_text_takes_time_in_proportion_to_its_length(text: str) -> None:
    # Patterns that try all ways to read a text would take hours, and the suite would be stopped here.
    assert redact_text(text)


def test_sentence_about_an_address_in_a_field_is_shown_whole() -> None:
    text = "cameras.b.source: rstp://h/ has a scheme that is not known; use rtsp://, http:// or https://"
    assert redact_text(text) == text


def test_words_after_a_hidden_part_in_a_field_are_hidden() -> None:
    assert "horse" not in redact_text("source: http://h/x?password=correct horse battery staple")


@pytest.mark.parametrize(
    "text",
    [
        "no file rtsp/u:Zx9Secret@127.0.0.1/s",
        "//u:Zx9Secret@h/x",
        "rtsp;//u:Zx9Secret@h/s",
        "rtsp://u:Zx9Secret\uff20h/x",
    ],
)
def test_login_behind_a_mistyped_scheme_is_hidden(text: str) -> None:
    assert "Zx9Secret" not in redact_text(text)
