"""The files of deploy/monitoring, as far as they can be checked without Prometheus and Grafana."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
import yaml

from posebus.telemetry.metric_table import BY_NAME, HISTOGRAM
from posebus_cli.observe.metrics import DEFAULT_PORT
from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
RULES = [rule for group in yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
QUERIES = [
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
    *(rule["expr"] for rule in RULES),
]
SELECTOR = re.compile(r"posebus[_:][a-z0-9_:]+(?P<labels>\{[^}]*\})?")


@pytest.mark.parametrize("query", QUERIES)
def test_queries_use_metrics_and_labels_of_the_table(query: str) -> None:
    for selector in SELECTOR.finditer(query):
        name = selector[0].partition("{")[0]
        if name in RECORDED:
            continue
        base = re.sub(r"_(?:bucket|sum|count)$", "", name)
        spec = BY_NAME.get(name) or BY_NAME[base]
        assert name == spec.name or spec.kind == HISTOGRAM, f"{name} is no histogram"
        known = {*spec.labels, "role", "host", "process", "le"}
        assert set(re.findall(r"(\w+)\s*[!=]~?=?\s*\"", selector["labels"] or "")) <= known, query


def test_panels_are_numbered_described_and_beside_each_other() -> None:
    assert [panel["id"] for panel in PANELS] == list(range(1, len(PANELS) + 1))
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert [target["refId"] for target in panel["targets"]] == list("ABCDEF"[: len(panel["targets"])])
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(one == {"type": "prometheus", "uid": "${datasource}"} for one in sources)
    places = [panel["gridPos"] for panel in PANELS]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        apart = [
            one[axis] + one[size] <= other[axis] or other[axis] + other[size] <= one[axis]
            for axis, size in (("x", "w"), ("y", "h"))
        ]
        assert any(apart), (one, other)


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert "id" not in DASHBOARD, "a number of another Grafana"
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource", "camera"]
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(PANELS)))
    assert used == {"datasource", "camera", "__rate_interval"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_alerts_say_how_bad_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["alert"].startswith("Posebus")
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["annotations"].keys() == {"summary", "description"}
    text = (ROOT / "docs" / "operations.md").read_text()
    assert f"| `{alert['alert']}` |" in text, "docs/operations.md says what to do about it"


def test_the_example_scrapes_the_port_of_posebus_metrics() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    [job] = config["scrape_configs"]
    assert job["job_name"] == "posebus", "the rules know it by this name"
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{DEFAULT_PORT}"]}]
    assert config["rule_files"] == ["rules.yaml"]
