"""Entries that others wrote into the broker: the tools show them harmlessly, name those they cannot read, and go on."""

from __future__ import annotations

import copy
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from rich.console import Console
from typer.testing import CliRunner

from posebus.bus.dead_letters import DeadLetters
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.endpoints.prometheus import families
from posebus.explaining.lines import lines
from posebus.telemetry.explanation import ExplanationInputs, explanation
from posebus.telemetry.overview import overview, read_deployment
from posebus_cli.app import app
from posebus_cli.observe.screen.top_view import TopView

ESCAPE = "\x1b]0;pwned\x07\x1b[2J"
SECRET = "rtsp://u:S3cr3t@h/1"
HOSTILE: tuple[Any, ...] = (
    *("abc", [1], {"a": 1}, None, True, -1, 1e308, float("inf"), float("nan"), 10**400, [[[[]]]], {"a": {"a": {}}}),
    *("[/bold]", f"[red]x{ESCAPE}", "a\nforged", "x" * 100_000, "\ud800", SECRET, '"\nposebus_up 7\n#'),
)
WORKER = {
    **{"role": "worker", "host": "h1", "pid": 13, "ready": True, "engine": "openvino", "precision": "fp32"},
    **{"device": "cpu", "imgsz": 640, "largest_imgsz": 640, "skipped": {"old": 1}, "dead": 1, "frames": 10},
    "enhance": {"door": {"captured_at_ns": 1, "text": "x"}},
    "metrics": {"posebus_stage_seconds": [["infer", {"counts": {"0.1": 3}, "sum": 1.0}]]},
}
TRACKER = {
    **{"role": "tracker", "host": "h1", "pid": 14, "metrics": {"posebus_frames_total": [[3]]}},
    "cameras": {"door": {"frames": 5, "people": 2, "age_ms": 12.0, "skipped": 1, "interval_s": 0.2, "view": "640"}},
}
INGEST = {
    **{"role": "ingest", "host": "h1", "pid": 12},
    "cameras": {
        "door": {
            **{"state": "online", "fps": 10.0, "frames": 5, "backlog_frames": 1, "backlog_bytes": 100, "trouble": "x"},
            "dropped": {"overflow": 1},
            "gate": {"policy": "x", "open": True, "log": [[1, "t"]], "inferred": 1, "still": 2, "rate": 3},
        }
    },
}


@pytest.fixture
def broker(redis_server: str) -> Broker:
    broker = open_broker(redis_server)
    broker.client.flushall()
    return broker


@pytest.fixture
def client(broker: Broker) -> redis.Redis:
    broker.client.hset("posebus:{0}:cameras", "door", '{"delivery":"live","source":"network"}')
    return broker.client


def changed(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`report` with each of its values, and each of its names, replaced by each hostile value."""

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            yield (*path, key)
            yield from places(value[key], (*path, key))

    for path in places(report):
        for hostile in HOSTILE:
            copied: Any = copy.deepcopy(report)
            inner = copied
            for key in path[:-1]:
                inner = inner[key]
            if isinstance(hostile, str) and isinstance(inner, dict) and len(hostile) < 100:
                inner[hostile] = inner[path[-1]]
            inner[path[-1]] = hostile
            yield copied


def everything_shown(broker: Broker) -> str:
    """What `top`, `top --json`, `metrics` and `explain` make of the registry."""
    state = read_deployment(broker)
    shown = overview(state, state)
    text = io.StringIO()
    Console(file=text, width=200, force_terminal=False).print(TopView(shown, broker.where, whole=True))
    samples = [sample for family in families(state) for sample in family.samples]
    inputs = [ExplanationInputs(one, None, (), state.processes, None, time.time_ns()) for one in state.cameras]
    explained = "\n".join(line for one in inputs for line in lines(explanation(one), 300.0))
    labels = "\n".join(text for sample in samples for text in sample.labels.values())
    return "\n".join([text.getvalue(), json.dumps(shown.as_dict()), labels, explained])


@pytest.mark.parametrize("report", [WORKER, TRACKER, INGEST], ids=["worker", "tracker", "ingest"])
def test_reports_of_any_content_are_shown_harmlessly(
    client: redis.Redis, broker: Broker, report: dict[str, Any]
) -> None:
    now_ns = broker.now_ns()
    values = {str(index): json.dumps({**one, "at_ns": now_ns}) for index, one in enumerate(changed(report))}
    assert len(values) > 200
    client.hset("posebus:{0}:processes", mapping=values)
    shown = everything_shown(broker)
    assert "door" in shown
    assert {one for one in shown if not one.isprintable()} == {"\n"}
    assert "S3cr3t" not in shown
    assert "\nforged" not in shown
    assert "\nposebus_up" not in shown


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(client: redis.Redis, broker: Broker) -> None:
    now_ns = broker.now_ns()
    good = json.dumps({**WORKER, "at_ns": now_ns})
    wrong = {
        **{
            "deep": "[" * 5000,
            "nested": '{"a":' * 500 + "1" + "}" * 500,
            "cut": good[:-1],
            "list": "[1]",
            "late": "{}",
        },
        **{"large": json.dumps({**WORKER, "at_ns": now_ns, "host": "A" * 5_000_000}), f"n{ESCAPE}": good},
        "date": json.dumps({**WORKER, "at_ns": "x"}),
    }
    client.hset("posebus:{0}:processes", mapping={**wrong, "good": good})
    client.hset("posebus:{0}:cameras", mapping={"deep": "[" * 5000, "yard": '{"delivery":"live","source":"file"}'})
    shown = overview(read_deployment(broker), read_deployment(broker))
    assert [row.id for row in shown.processes] == ["good"]
    assert {row.name for row in shown.cameras} == {"door", "yard"}
    assert len(shown.warnings) == len(wrong) + 1
    assert all(text.isprintable() and "in the broker is left out" in text for text in shown.warnings)


def test_dead_letters_of_any_content_are_listed_and_shown(client: redis.Redis, broker: Broker) -> None:
    entries: list[tuple[dict[Any, Any], str]] = [
        ({"dead_reason": f"{ESCAPE}\nforged {SECRET}", "dead_by": ESCAPE, "dead_camera": ESCAPE, ESCAPE: "x"}, "*"),
        ({"dead_attempts": "[" * 5000}, "*"),
        ({"dead_attempts": json.dumps([[ESCAPE, 10**17, ESCAPE], [1, 2, 3]]), "dead_picture": ESCAPE}, "*"),
        ({"dead_attempts": json.dumps([["w", 10**400, "x"]])}, "*"),
        ({"dead_reason": "from the far future"}, "9999999999999999-0"),
    ]
    added = [client.xadd("posebus:{0}:dead", fields, id=entry_id).decode() for fields, entry_id in entries]
    assert len(list(DeadLetters(broker).newest())) == len(entries)
    commands = [
        ["list"],
        ["list", "--json"],
        *(["show", one] for one in added),
        *(["show", one, "--json"] for one in added),
    ]
    for command in commands:
        done = CliRunner().invoke(app, ["dead", *command, "--redis", broker.where])
        assert done.exit_code == 0, (command, done.output)
        assert {one for one in done.output if not one.isprintable()} == {"\n"}
        assert "S3cr3t" not in done.output
        assert "\nforged" not in done.output


def test_events_of_any_content_are_watched_harmlessly(client: redis.Redis, broker: Broker) -> None:
    data = {"schema_version": 1, "camera": "door", "epoch": 1, "seq": 0, "time_ns": 1767225600000000000}
    event = {"specversion": "1.0", "id": "x", "type": "posebus.camera.offline", "source": "posebus/cameras/door"}
    event |= {"subject": "door", "time": "2026-01-01T00:00:00Z", "datacontenttype": "application/json"}
    contents: list[dict[str, Any]] = [
        *({"reason": one} for one in (f"{ESCAPE}\nforged", SECRET, "\ud800", "\u202e", "\x9b2J", {"a": [ESCAPE]})),
        *({ESCAPE: "x"}, {"n": 10**400}, {"time_ns": -1}, {"time_ns": 2**63 - 1}, {"time_ns": -(2**62)}),
    ]
    for one in contents:
        client.xadd("posebus:{0}:events", {"data": json.dumps({**event, "data": {**data, **one}})})
    client.xadd("posebus:{0}:events", {"data": "[" * 5000})
    client.xadd("posebus:{0}:events", {"data": json.dumps({**event, "type": f"posebus.{ESCAPE}", "data": data})})
    total = len(contents) + 1
    for options in ([], ["--all"], ["--json"]):
        words = ["watch", "--after", "start", "-k", "events", "-n", str(total), *options, "--redis", broker.where]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        assert len(done.output.splitlines()) == total or not options, "only sums take fewer lines"
        assert done.output.replace("\n", "").isprintable()
        assert "S3cr3t" not in done.output
        if "--json" in options:
            assert all(json.loads(line)["specversion"] == "1.0" for line in done.output.splitlines())


def test_explanation_goes_on_without_decisions_that_cannot_be_read(client: redis.Redis, broker: Broker) -> None:
    client.hset(broker.topology.plan("door"), mapping={"now": "[" * 5000, "decisions": "[" * 5000})
    done = CliRunner().invoke(app, ["explain", "door", "--redis", broker.where])
    assert done.exit_code == 0, done.output
    assert "the list of decisions about a camera is nested more than 64 deep; the rest" in done.output
    assert "door: live, network" in done.output


def test_registry_of_a_long_process_keeps_few_problems(client: redis.Redis, broker: Broker) -> None:
    registry = Registry(broker)
    client.hset("posebus:{0}:processes", mapping={str(index): "x" for index in range(1000)})
    registry.processes()
    assert 0 < len(registry.take_problems()) < 100
    assert registry.take_problems() == []
