"""The template package: built, installed as users install it, and run through a real deployment."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import posebus
from posebus.bus.redis.connection import open_broker
from tests.conftest import ROOT
from tests.integration import run_command
from tests.integration.installed_package import install
from tests.polling import wait_until
from tests.ports import free_port

TEMPLATE = ROOT / "examples" / "plugin"
FRAMES = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which a copy of the template was installed."""
    source = tmp_path_factory.mktemp("template") / "plugin"
    shutil.copytree(TEMPLATE, source)
    return install(source, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def environment(site: Path, engine_cache: Path) -> dict[str, str]:
    return {**run_command.environment(engine_cache), "PYTHONPATH": str(site)}


@pytest.fixture(scope="module")
def folder(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The working folder and the broker of `posebus up`: the template, and a sink that does not exist."""
    folder, port = tmp_path_factory.mktemp("deployment"), free_port()
    config = folder / "posebus.yaml"
    config.write_text((TEMPLATE / "posebus.yaml").read_text() + "  missing:\n    sink: no-such-sink\n")
    command = [sys.executable, "-m", "posebus_cli", "up", "-c", str(config), "--port", str(port)]
    with (folder / "log").open("w") as log:
        up = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    yield folder, f"redis://127.0.0.1:{port}"
    up.send_signal(signal.SIGTERM)
    assert up.wait(60) == 0, (folder / "log").read_text()


def all_frames(where: Path) -> Path:
    """The table of the sink, once it has a row for every frame."""
    people = where / "people.csv"
    wait_until(
        lambda: people.exists() and people.read_text().count("\n") >= FRAMES, lambda: (where / "log").read_text(), 180
    )
    return people


def test_figure_walks_through_source_engine_tracker_sink_and_rule(folder: tuple[Path, str]) -> None:
    where, url = folder
    people = all_frames(where)
    rows = list(csv.reader(people.read_text().splitlines()))
    assert [(row[0], int(row[2])) for row in rows] == [("path", seq) for seq in range(FRAMES)]
    # Confirmed in nearly all frames; the very first ones and those at the border of the picture may differ.
    assert sum(int(row[3]) for row in rows) >= 0.9 * FRAMES
    found: list[posebus.Message] = []
    with posebus.subscribe(url, kinds=("events", "tracks"), after="start") as messages:
        wait_until(lambda: found.extend(messages.poll(0.25)) or len(_crossings(found)) == 1, "the event of the rule")
        found += messages.poll(0.5)
    # 580 pixels are walked in 59 steps, so its middle passes 320 px between the frames 29 and 30.
    (crossing,) = _crossings(found)
    log = (where / "log").read_text()
    assert "there is no sink 'no-such-sink', which sinks.missing names: known are jsonl, mqtt, tally, webhook" in log
    assert log.count("sink-missing has ended and is not started again") == 1
    assert (crossing.camera, crossing.data["direction"], crossing.data["rule"]) == ("path", "right", "halfway")
    assert abs(crossing.seq - 30) <= 1
    tracks = [message.body for message in found if isinstance(message.body, posebus.TrackFrame)]
    assert {track.id for frame in tracks for track in frame.tracks} == {crossing.data["track_id"]}


def test_top_shows_the_sinks_with_their_counts(folder: tuple[Path, str], environment: dict[str, str]) -> None:
    where, url = folder
    all_frames(where)
    command = [sys.executable, "-m", "posebus_cli", "top", "--redis", url, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    does = [row["does"] for row in json.loads(done.stdout)["processes"] if row["role"] == "sink"]
    assert {text.split(":")[0] for text in does} == {"tally"}
    assert all(int(text.split()[1]) >= FRAMES for text in does)


def test_doctor_lists_the_plug_ins(environment: dict[str, str]) -> None:
    code = "from posebus_cli.doctor.check_plugins import plugins; print(*((one.status, one.text) for one in plugins()))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    for name in ("walk", "bright", "tally", "crossing"):
        assert f"('fine', 'the plug-in {name} = posebus_example." in done.stdout
    assert done.stdout.count("of the package posebus-example 1.0") == 4


def test_a_killed_sink_is_started_again_and_loses_no_message(folder: tuple[Path, str]) -> None:
    where, url = folder
    people = all_frames(where)
    broker = open_broker(url)
    (pid,) = (
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _runs_tally(entry) and _is_of(entry, where)
    )
    os.kill(pid, signal.SIGKILL)
    stream = broker.topology.tracks("path")
    ((_, newest),) = broker.client.xrevrange(stream, count=1)
    for _ in range(3):
        broker.client.xadd(stream, newest)
    wait_until(lambda: people.read_text().count("\n") >= FRAMES + 3, lambda: (where / "log").read_text(), 60)
    (group,) = (one for one in broker.client.xinfo_groups(stream) if one["name"] == b"sink-tally")
    wait_until(lambda: not broker.client.xpending(stream, "sink-tally")["pending"], "all to be acknowledged")
    assert group["consumers"] == 1, "the process goes on under the same name"
    assert "is left out" not in (where / "log").read_text()


def _crossings(messages: list[posebus.Message]) -> list[posebus.Event]:
    events = [message.body for message in messages if isinstance(message.body, posebus.Event)]
    return [event for event in events if event.type == "com.example.crossing"]


def _runs_tally(entry: Path) -> bool:
    try:
        return b"posebus.sinks\0" in (entry / "cmdline").read_bytes() and b"tally" in (entry / "cmdline").read_bytes()
    except OSError:
        return False


def _is_of(entry: Path, where: Path) -> bool:
    try:
        return (entry / "cwd").resolve() == where.resolve()
    except OSError:
        return False
