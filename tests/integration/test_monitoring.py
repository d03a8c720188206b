"""Dashboard, alerts and scaling queries against a real Prometheus that scrapes a real deployment."""

from __future__ import annotations

import json
import math
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from posebus.telemetry.metric_table import TABLE
from tests.conftest import ROOT
from tests.integration.prometheus_server import Prometheus, program, prometheus
from tests.integration.run_command import finish, start
from tests.polling import wait_until
from tests.ports import free_port

MONITORING = ROOT / "deploy" / "monitoring"
RULES = MONITORING / "rules.yaml"
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "grafana-dashboard.json").read_text())
CAMERAS = ("door", "yard")
COMPARISON = re.compile(r"^(?P<left>.*\S)\s*(?:==|!=|>=|<=|>|<)\s*[\d.]+$", re.DOTALL)
FIELDS = {"time", "level", "logger", "role", "process", "message"}


def rules(kind: str) -> list[dict[str, Any]]:
    """All rules that have the field `kind`: record or alert."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def dashboard_queries() -> list[str]:
    """The queries of all panels, with what Grafana would put for its variables."""
    texts = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [text.replace("$__rate_interval", "10s").replace("$camera", ".*") for text in texts]


def scaling_queries() -> list[str]:
    """The queries of the ScaledObjects."""
    return [
        trigger["metadata"]["query"]
        for path in (ROOT / "deploy" / "kubernetes").glob("**/*.yaml")
        for document in yaml.safe_load_all(path.read_text())
        if document and document["kind"] == "ScaledObject"
        for trigger in document["spec"]["triggers"]
    ]


def left_side(alert: dict[str, Any]) -> str:
    """What an alert compares with a number."""
    found = COMPARISON.match(alert["expr"])
    assert found, f"{alert['alert']} does not end with a comparison with a number"
    return found["left"]


@dataclass
class Deployment:
    """A deployment whose metrics are scraped."""

    server: Prometheus
    endpoint: str

    def page(self, path: str) -> tuple[int, Any]:
        """(status, JSON) of a page of the endpoint."""
        try:
            with urllib.request.urlopen(f"{self.endpoint}{path}", timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def deployment(engine_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """`posebus up` with two live cameras, `posebus metrics` and Prometheus; the log of `up` is checked at the end."""
    folder = tmp_path_factory.mktemp("monitoring")
    source = "synthetic:bus?fps=5&width=320&height=240"
    cameras = {name: {"source": source} for name in CAMERAS}
    config = folder / "posebus.yaml"
    config.write_text(yaml.safe_dump({"cameras": cameras, "worker": {"imgsz": 320}}))
    port = free_port()
    program("prometheus")
    up = start(engine_cache, "up", "-c", config, "--port", str(port), "--log-format", "json")
    metrics = start(engine_cache, "metrics", "--port", "0", "--redis", wait_for_broker(port))
    try:
        assert metrics.stdout is not None
        endpoint = metrics.stdout.readline().split()[-1].removesuffix("/metrics")
        with prometheus(folder, endpoint.removeprefix("http://"), RULES) as server:
            yield Deployment(server, endpoint)
    finally:
        metrics.terminate()
        up.terminate()
        ended = finish(metrics), finish(up)
    assert [one.returncode for one in ended] == [0, 0]
    check_log(ended[1].stderr)


def wait_for_broker(port: int) -> str:
    """The address of the embedded broker, once it answers."""
    import redis

    client = redis.Redis(port=port)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    wait_until(answers, "the embedded broker")
    return f"redis://127.0.0.1:{port}"


def check_log(text: str) -> None:
    """Every line of the log of all processes is JSON in UTC, and those about a camera name it."""
    records = [json.loads(line) for line in text.splitlines()]
    assert all(record.keys() >= FIELDS for record in records)
    moments = [datetime.fromisoformat(record["time"]) for record in records]
    assert {str(moment.utcoffset()) for moment in moments} == {"0:00:00"}
    online = {record["camera"]: record for record in records if record["message"].endswith("is online")}
    assert online.keys() == set(CAMERAS)
    assert all(record["role"] == "ingest" for record in online.values())
    assert {"worker", "tracker"} <= {record["role"] for record in records}


def test_every_query_returns_data_from_a_live_pipeline(deployment: Deployment) -> None:
    server = deployment.server
    queries = [
        *dashboard_queries(),
        *scaling_queries(),
        *(rule["expr"] for rule in rules("record")),
        *(rule["record"] for rule in rules("record")),
        *map(left_side, rules("alert")),
    ]
    assert len(queries) > 40
    empty = list(queries)

    def all_answered() -> bool:
        empty[:] = [text for text in empty if not any(not math.isnan(value) for _, value in server.query(text))]
        return not empty

    wait_until(all_answered, lambda: f"data for {len(empty)} of {len(queries)} queries: {empty}", poll_s=0.5)


def test_prometheus_takes_the_metrics_as_they_are_documented(deployment: Deployment) -> None:
    """Names, kinds and help as Prometheus itself has read them."""
    found: dict[str, tuple[str, str]] = {}

    def all_read() -> bool:
        metadata = deployment.server.ask("targets/metadata", match_target='{job="posebus"}')
        found.update({one["metric"]: (one["type"], one["help"]) for one in metadata})
        return len([name for name in found if name.startswith("posebus_")]) > 20

    wait_until(all_read, lambda: f"the metrics of all stages, not only {sorted(found)}", poll_s=0.5)
    # OpenMetrics, which Prometheus asks for, names the family of a counter without its ending.
    table = {spec.name.removesuffix("_total"): (spec.kind, spec.help) for spec in TABLE}
    ours = {name: what for name, what in found.items() if name.startswith("posebus_")}
    assert ours.items() <= table.items()


def by_role(server: Prometheus, query: str) -> dict[str, float]:
    return {labels["role"]: value for labels, value in server.query(query)}


def test_figures_are_those_of_the_deployment(deployment: Deployment) -> None:
    server = deployment.server
    wait_until(lambda: server.query("posebus_camera_online == 1")[1:], "both cameras online")
    assert {labels["camera"] for labels, _ in server.query("posebus_camera_online == 1")} == set(CAMERAS)
    expected = {"ingest": 2.0, "worker": 1.0, "tracker": 1.0}
    for query, numbers in (
        ("posebus_processes_ready", {**expected, "evidence": 0.0, "sink": 0.0}),
        ("count by (role) (posebus_build_info)", {**expected, "metrics": 1.0}),
    ):
        wait_until(lambda query=query, numbers=numbers: by_role(server, query) == numbers, f"{query}: {numbers}")
    [(_, age_s)] = server.query('max(posebus_camera_backlog_seconds{delivery="live"})')
    assert 0 <= age_s < 60
    [(_, limit)] = server.query("posebus_broker_memory_limit_bytes")
    assert limit == 2e9, "that of the embedded broker"


def test_rules_are_loaded_without_an_error(deployment: Deployment) -> None:
    groups = deployment.server.ask("rules")["groups"]
    wait_until(
        lambda: all(
            rule["health"] == "ok" for group in deployment.server.ask("rules")["groups"] for rule in group["rules"]
        ),
        "all rules evaluated",
    )
    assert sum(len(group["rules"]) for group in groups) == len(rules("record")) + len(rules("alert"))


def test_pages_for_orchestrators(deployment: Deployment) -> None:
    assert deployment.page("/healthz") == (200, {"ready": True, "reasons": []})
    wait_until(lambda: deployment.page("/readyz")[0] == 200, lambda: str(deployment.page("/readyz")))
    status, found = deployment.page("/readyz")
    assert status == 200
    assert found["processes"] == {"ingest": 2, "worker": 1, "tracker": 1, "evidence": 0, "sink": 0}


def test_alerts_fire_when_they_should_and_rules_are_valid() -> None:
    for command in (["check", "rules", "rules.yaml"], ["test", "rules", "rules_test.yaml"], ["check", "config"]):
        files = [] if len(command) > 2 else ["prometheus.yaml"]
        done = subprocess.run(
            [program("promtool"), *command, *files], cwd=MONITORING, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    tested = yaml.safe_load((MONITORING / "rules_test.yaml").read_text())["tests"]
    fired = {one["alertname"] for test in tested for one in test["alert_rule_test"] if one.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in rules("alert")}, "each alert fires in a test"
