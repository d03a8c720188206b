"""Brokers that refuse: a sentence and exit code 1, at the start and later; with a full one, live frames are dropped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.run_command import finish, start

import posebus
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from tests.brokers import Server
from tests.polling import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "broker", "--save", "", "--maxmemory-policy", "noeviction") as running:
        yield running


def ingest(folder: Path, url: str, **camera: Any) -> subprocess.Popen[str]:
    """`posebus ingest` of one synthetic camera, in this process."""
    config = folder / "posebus.yaml"
    config.write_text(yaml.safe_dump({"cameras": {"door": {"source": "synthetic:bus?fps=20", **camera}}}))
    return start(folder, "ingest", "-c", config, "--camera", "door", "--redis", url)


def publishes(server: Server, at_least: int) -> bool:
    return int(server.client().xlen("posebus:{0}:frames:door")) >= at_least


def dropped(registry: Registry) -> int:
    """The frames that ingest reports as skipped."""
    reports = registry.processes().values()
    return sum(sum(report["cameras"]["door"]["dropped"].values()) for report in reports)


def said(process: subprocess.Popen[str]) -> list[str]:
    """The error lines on standard error of a process that gave up, without its log."""
    done = finish(process)
    assert done.returncode == 1, done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("posebus: ")]


def test_wrong_password_and_missing_right_stop_with_a_reason(server: Server, tmp_path: Path) -> None:
    server.client().execute_command(
        "ACL", "SETUSER", "reader", "on", ">sesame", "~posebus:*", "+@read", "+info", "+time"
    )
    wrong = server.url.replace("redis://", "redis://reader:swordfish@")
    [line] = said(ingest(tmp_path, wrong))
    assert "refused the login" in line
    assert "swordfish" not in line
    [line] = said(ingest(tmp_path, server.url.replace("redis://", "redis://reader:sesame@")))
    assert "no permissions to run the 'xgroup|create' command" in line
    assert "sesame" not in line


def test_password_that_changes_is_noticed_at_the_next_connection(server: Server, tmp_path: Path) -> None:
    process = ingest(tmp_path, server.url)
    wait_until(lambda: publishes(server, 3), "frames")
    client = server.client()
    client.config_set("requirepass", "new")
    client = server.client()
    client.execute_command("AUTH", "new")
    frames = int(client.xlen("posebus:{0}:frames:door"))
    wait_until(
        lambda: int(client.xlen("posebus:{0}:frames:door")) > frames + 3, "frames over connections that are open"
    )
    client.client_kill_filter(_type="normal", skipme=True)
    [line] = said(process)
    assert "refused the login" in line


def test_live_frames_are_dropped_and_counted_while_the_broker_is_full(server: Server, tmp_path: Path) -> None:
    process = ingest(tmp_path, server.url, delivery="live")
    try:
        wait_until(lambda: publishes(server, 3), "frames")
        client = server.client()
        with posebus.subscribe(server.url, kinds=["events"]) as subscription:
            client.config_set("maxmemory", "1")
            wait_until(lambda: int(client.info("errorstats").get("errorstat_OOM", {}).get("count", 0)) > 2, "refusals")
            full = int(client.xlen("posebus:{0}:frames:door"))
            client.config_set("maxmemory", "0")
            wait_until(lambda: publishes(server, full + 5), "frames after there is room again")
            gap = next(m.body for m in subscription if m.body.type == posebus.EventType.CAMERA_GAP)
        assert isinstance(gap, posebus.Event)
        assert gap.data["skipped"] > 0
        registry = Registry(open_broker(server.url))
        wait_until(lambda: dropped(registry) > 0, "the count of what was dropped")
    finally:
        process.terminate()
    finish(process)
    assert process.returncode == 0
