"""`posebus camera discover` with a camera on the loopback interface that answers multicast, and with hostile ones."""

from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fake_onvif import PASSWORD, USER, fake_camera
from polling import wait_until
from ports import free_port
from ruamel.yaml import YAML

from ingest.discovery import onvif, probe
from ingest.discovery.probe import discover, local_addresses
from ingest.discovery.soap_xml import MAX_BYTES, parse_xml
from posebus.errors import LoginRefused, MalformedMessage, PoseBusError, SourceUnavailable
from posebus_cli.app import command
from posebus_cli.change.login import PASSWORD_ENV

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """The port of WS-Discovery in this test: real cameras are not asked."""
    found = free_port()
    monkeypatch.setattr(probe, "PORT", found)
    monkeypatch.setattr(probe, "local_addresses", lambda: ["127.0.0.1"])
    return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `posebus camera …` in this process; returns its exit code, and its output or its one sentence."""
    monkeypatch.setenv(PASSWORD_ENV, PASSWORD)

    def run_command(*arguments: str | Path) -> tuple[int, str]:
        try:
            code = command().main(["camera", *map(str, arguments)], standalone_mode=False)
        except PoseBusError as error:
            return 1, f"{capsys.readouterr().out}{error}"
        out = capsys.readouterr().out
        for secret in (PASSWORD, "leaked", "login@"):
            assert secret not in out
        assert out.isascii()
        assert "\x1b" not in out
        return code or 0, out

    return run_command


def found_by(run: Run, *options: str) -> tuple[int, str]:
    """What `discover` says once the camera has answered in time."""
    last = (1, "")

    def has_answered() -> bool:
        nonlocal last
        last = run("discover", "--timeout", "0.4", *options)
        return "no ONVIF device has answered" not in last[1]

    wait_until(has_answered, lambda: last[1])
    return last


def test_a_camera_is_found_and_its_line_adds_it(port: int, run: Run, tmp_path: Path) -> None:
    with fake_camera(port) as camera:
        code, out = found_by(run)
        assert code == 0
        assert f"127.0.0.1  Front Door\\x1b[2J, X-100  http://127.0.0.1:{camera.http_port}/onvif/device_service" in out
        assert camera.asked == []
        code, out = found_by(run, "--user", USER)
    assert code == 0
    assert "main stream: 1920x1080 H265 25 fps" in out
    lines = [line.strip() for line in out.splitlines() if line.strip().startswith("posebus camera add")]
    assert [shlex.split(line)[3:] for line in lines] == [
        ["front-door-x1b-2j", "rtsp://192.0.2.77:554/stream1?channel=1&subtype=0", "--user", USER],
        ["front-door-x1b-2j", "rtsp://192.0.2.77/stream2", "--user", USER],
    ]
    file = tmp_path / "posebus.yaml"
    assert run(*shlex.split(lines[0])[2:], "-c", file)[0] == 0
    added = YAML(typ="safe", pure=True).load(file)["cameras"]["front-door-x1b-2j"]
    assert added == {"source": "rtsp://admin:s3cret%20%26%20more@192.0.2.77:554/stream1?channel=1&subtype=0"}


def test_json_tells_the_same(port: int, run: Run) -> None:
    with fake_camera(port):
        code, out = found_by(run, "--user", USER, "--json")
    (found,) = json.loads(out)
    assert (code, found["host"], found["hardware"]) == (0, "127.0.0.1", "X-100")
    assert [stream["fps"] for stream in found["streams"]] == [25, 10]
    assert found["streams"][0]["size_px"] == [1920, 1080]


def test_no_answer_is_one_sentence(port: int, run: Run) -> None:
    code, out = run("discover", "--timeout", 0.2)
    assert code == 1
    for word in ("no ONVIF device has answered within 0.2 s", "firewall", "multicast", "--host ADDRESS"):
        assert word in out


@pytest.mark.parametrize("behaviour", [{"ahead": timedelta(days=-400)}, {"http_digest": True}])
def test_cameras_with_wrong_clocks_or_http_digest_tell_their_streams(
    port: int, run: Run, behaviour: dict[str, object]
) -> None:
    with fake_camera(port, **behaviour) as camera:
        code, out = run("discover", "--host", f"127.0.0.1:{camera.http_port}", "--user", USER)
    assert code == 0
    assert out.count("posebus camera add camera-127-0-0-1 ") == 2


def test_a_wrong_login_is_one_sentence(port: int, run: Run) -> None:
    with fake_camera(port) as camera:
        code, out = run("discover", "--host", f"127.0.0.1:{camera.http_port}", "--user", "other")
    assert code == 1
    assert "127.0.0.1 refuses the user other: many cameras have users of their own for ONVIF" in out


def test_no_login_is_sent_to_another_host_than_the_one_that_answered(port: int, run: Run) -> None:
    with (
        fake_camera(port) as other,
        fake_camera(free_port(), redirect=f"http://127.0.0.1:{other.http_port}/") as camera,
    ):
        with pytest.raises(SourceUnavailable):
            onvif.OnvifDevice(f"http://127.0.0.1:{camera.http_port}/x", USER, PASSWORD).profiles()
        assert (camera.asked, other.asked) == (["redirected"], [])
    with fake_camera(port, xaddrs="http://192.0.2.99/onvif http://user@127.0.0.1/ ftp://127.0.0.1/ ::") as camera:
        code, out = found_by(run, "--user", USER)
        assert camera.asked == []
    assert code == 1
    assert "no password is sent to it" in out


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(2, 12))
    + "]><x>&a11;</x>"
)
HOSTILE = [
    BOMB.encode(),
    BOMB.encode("utf-16"),
    b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    b'<?xml version="1.0" encoding="UTF-7"?>+ADw-+ACE-DOCTYPE x+AD4-<x/>',
    b"<a>" * 300_000,
    b"<a>" * 5000 + b"</a>" * 5000,
    b"<x>" + b"y" * MAX_BYTES + b"</x>",
    b"\x00\xff",
    b"",
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_xml_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_xml(data)


@pytest.mark.parametrize("data", [HOSTILE[0], HOSTILE[4], HOSTILE[6]], ids=["entities", "deep", "large"])
def test_hostile_answers_end_in_a_sentence(port: int, data: bytes) -> None:
    with fake_camera(port, answer=data, match=data[:60_000]) as camera:
        assert discover(["127.0.0.1"], 0.2) == []
        wait_until(lambda: camera.probes, "the camera was asked")
        with pytest.raises(SourceUnavailable, match="does not answer as an ONVIF device"):
            onvif.OnvifDevice(f"http://127.0.0.1:{camera.http_port}/", USER, PASSWORD).profiles()


def test_answers_to_the_questions_of_others_are_no_devices(port: int) -> None:
    with fake_camera(port) as camera:
        right = camera.probe_match(b"<a:MessageID>uuid:1</a:MessageID>")
    assert probe.read_match(right, "127.0.0.1", {"uuid:1"}) is not None
    assert probe.read_match(right, "127.0.0.1", {"uuid:2"}) is None


def test_a_device_that_does_not_answer_does_not_hold_the_command_up() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
    with silent, pytest.raises(SourceUnavailable, match="does not answer at its ONVIF service"):
        onvif.OnvifDevice(address, USER, PASSWORD, timeout_s=0.2).profiles()


@pytest.mark.parametrize(
    ("given", "usable"),
    [
        ("rtsp://a:b@h:554/x?y=1", "rtsp://h:554/x?y=1"),
        ("http://h/x", "http://h/x"),
        ("file:///etc/passwd", None),
        ("rtsp://h:99999/", None),
        ("rtsp://h/ $(reboot)", None),
        ("rtsp://[::1/x", None),
        ("", None),
    ],
)
def test_addresses_of_streams_are_checked(given: str, usable: str | None) -> None:
    assert onvif.usable_address(given) == usable


def test_this_machine_has_the_loopback_interface() -> None:
    assert "127.0.0.1" in local_addresses()


def test_a_login_that_is_missing_is_asked_for() -> None:
    with fake_camera(free_port()) as camera, pytest.raises(LoginRefused, match="only with a login: add --user NAME"):
        onvif.OnvifDevice(f"http://127.0.0.1:{camera.http_port}/", None, None).profiles()
