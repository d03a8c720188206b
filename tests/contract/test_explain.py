"""`posebus explain` against a real broker with a tracker's plan."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from posebus.bus.plan_store import queue_plan
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.policies import AUTO, Policies
from posebus.contract.plan import Decision, Directive, Plan
from posebus.errors import ConfigError
from posebus.messages import Delivery
from posebus.views import View
from posebus_cli.app import app


def test_explanation_has_the_plan_and_its_reasons(redis_server: str) -> None:
    broker = open_broker(redis_server)
    registry = Registry(broker)
    registry.add_camera(CameraRecord("door", Delivery.LIVE, "network", Policies(imgsz=AUTO)))
    assert registry.cameras()[0].policies == Policies(imgsz=AUTO)
    now_ns = broker.now_ns()
    plan = Plan(1, 5, (Directive(1, 5, now_ns, View(416)),))
    queue_plan(broker.client, broker.topology.plan("door"), plan, [Decision(1, 5, now_ns, "imgsz", "416", "enough")])
    done = CliRunner().invoke(app, ["explain", "door", "--redis", redis_server])
    assert done.exit_code == 0
    assert "now: inferred at 416 px, every frame" in done.stdout
    assert "416: enough" in done.stdout
    explained = json.loads(CliRunner().invoke(app, ["explain", "door", "--json", "--redis", redis_server]).stdout)
    assert explained["decided"][0]["why"] == "enough"


def test_unknown_camera_is_an_error_with_similar_names(redis_server: str) -> None:
    Registry(open_broker(redis_server)).add_camera(CameraRecord("door", Delivery.LIVE, "network"))
    done = CliRunner().invoke(app, ["explain", "dor", "--redis", redis_server])
    assert isinstance(done.exception, ConfigError)
    with pytest.raises(ConfigError, match="did you mean 'door'"):
        raise done.exception
