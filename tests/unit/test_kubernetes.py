"""deploy/kustomization.yaml and what it names: against the schemas of Kubernetes, and against each other.

No cluster is needed, so what one would find out only at run time is checked here piece by piece.
"""

from __future__ import annotations

import copy
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from posebus.config.loading import load_settings
from posebus.runtime.health import ROLES
from posebus_cli.observe.metrics import DEFAULT_PORT
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
Document = dict[str, Any]
KUSTOMIZATION: Document = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
DOCUMENTS: list[Document] = [
    document
    for name in KUSTOMIZATION["resources"]
    for document in yaml.safe_load_all((DEPLOY / name).read_text())
    if document
]
[SCALED] = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "keda" / "worker.yaml").read_text()))
OLDEST = "1.28"
"""The oldest release of Kubernetes that the documents are checked for, besides the newest that there are schemas of."""


def of_kind(*kinds: str) -> dict[str, Document]:
    """Documents of these kinds by name."""
    return {document["metadata"]["name"]: document for document in DOCUMENTS if document["kind"] in kinds}


WORKLOADS = of_kind("Deployment", "StatefulSet")
STAGES = {name: document for name, document in WORKLOADS.items() if name != "redis"}
PROMETHEUS_SCALER = (
    *("serverAddress", "query", "threshold", "activationThreshold", "namespace", "customHeaders"),
    *("ignoreNullValues", "queryParameters", "unsafeSsl", "timeout"),
)
"""https://keda.sh/docs/scalers/prometheus"""
TEXT, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
SCALED_OBJECT: Document = {
    # What posebus uses of the CustomResourceDefinition in config/crd/bases/keda.sh_scaledobjects.yaml of
    # https://github.com/kedacore/keda. `behavior` is that of Kubernetes and is checked as such.
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "ScaledObject"},
        "spec": {
            "type": "object",
            "required": ["scaleTargetRef", "triggers"],
            "additionalProperties": False,
            "properties": {
                "scaleTargetRef": {
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": False,
                    "properties": {"apiVersion": TEXT, "kind": TEXT, "name": TEXT, "envSourceContainerName": TEXT},
                },
                "minReplicaCount": NUMBER,
                "maxReplicaCount": NUMBER,
                "idleReplicaCount": NUMBER,
                "pollingInterval": NUMBER,
                "cooldownPeriod": NUMBER,
                "advanced": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "restoreToOriginalReplicaCount": {"type": "boolean"},
                        "horizontalPodAutoscalerConfig": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {"behavior": {"type": "object"}, "name": TEXT},
                        },
                    },
                },
                "triggers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["type", "metadata"],
                        "additionalProperties": False,
                        "properties": {
                            "type": {"const": "prometheus"},
                            "name": TEXT,
                            "metricType": {"enum": ["Value", "AverageValue"]},
                            "metadata": {
                                "type": "object",
                                "required": ["serverAddress", "query", "threshold"],
                                "additionalProperties": False,
                                "properties": dict.fromkeys(PROMETHEUS_SCALER, TEXT),
                            },
                        },
                    },
                },
            },
        },
    },
}


def pod(document: Document) -> Document:
    """The pod of a workload."""
    found: Document = document["spec"]["template"]["spec"]
    return found


def container(document: Document) -> Document:
    """The one container of a workload."""
    [found] = pod(document)["containers"]
    assert isinstance(found, dict)
    return found


def labels(document: Document) -> set[tuple[str, str]]:
    """The labels of the pods of a workload."""
    return set(document["spec"]["template"]["metadata"]["labels"].items())


def selected(selector: Document) -> list[str]:
    """The workloads whose pods `matchLabels` selects."""
    return [name for name, document in WORKLOADS.items() if selector.items() <= dict(labels(document)).items()]


@pytest.mark.parametrize("release", [OLDEST, "newest"])
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_documents_follow_the_schemas_of_kubernetes(document: Document, release: str) -> None:
    import kubernetes_validate

    version = kubernetes_validate.latest_version() if release == "newest" else release
    assert kubernetes_validate.validate(copy.deepcopy(document), version, strict=True) in version


def test_the_schemas_refuse_what_is_wrong() -> None:
    import jsonschema
    import kubernetes_validate

    wrong = copy.deepcopy(WORKLOADS["worker"])
    container(wrong)["readinessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, OLDEST, strict=True)
    wrong = copy.deepcopy(SCALED)
    wrong["spec"]["triggers"][0]["metadata"]["threshold"] = 0.25
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCALED_OBJECT)


def test_scaling_follows_the_schema_of_keda_and_scales_what_is_there() -> None:
    import jsonschema
    import kubernetes_validate

    jsonschema.validate(SCALED, SCALED_OBJECT)
    spec = SCALED["spec"]
    assert spec["scaleTargetRef"]["name"] in of_kind("Deployment")
    assert 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
    assert not any("lag" in trigger["metadata"]["query"] for trigger in spec["triggers"])
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "worker"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
            "maxReplicas": spec["maxReplicaCount"],
            "behavior": spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
        },
    }
    kubernetes_validate.validate(autoscaler, OLDEST, strict=True)


def generated(kind: str) -> dict[str, list[str]]:
    """The files of each ConfigMap or Secret that kustomize makes, by its name."""
    return {
        one["name"]: [*one.get("files", []), *one.get("envs", [])]
        for one in KUSTOMIZATION[f"{'configMap' if kind == 'ConfigMap' else 'secret'}Generator"]
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/ with the files that make_secrets.py writes."""
    folder = tmp_path_factory.mktemp("kubernetes") / "deploy"
    shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([sys.executable, str(folder / "make_secrets.py")], check=True, capture_output=True)
    return folder


def test_files_of_settings_and_secrets_exist(made: Path) -> None:
    for name in itertools.chain(*generated("ConfigMap").values(), *generated("Secret").values()):
        assert (made / name).is_file(), name
    assert not any(name.startswith("secrets/") for name in itertools.chain(*generated("ConfigMap").values()))


def test_kustomize_builds_it(made: Path) -> None:
    """Where kubectl is installed, its own kustomize builds the documents, which then still follow the schemas."""

    import kubernetes_validate

    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run([kubectl, "kustomize", str(made)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert len(built) == len(DOCUMENTS) + len(generated("ConfigMap")) + len(generated("Secret"))
    for document in built:
        kubernetes_validate.validate(document, OLDEST, strict=True)
        assert document["metadata"].get("namespace", "posebus") == "posebus"


def test_the_settings_pass_the_check() -> None:
    [name] = generated("ConfigMap")["posebus"]
    for service, stage in STAGES.items():
        variables = {one["name"]: one["value"] for one in container(stage).get("env", [])}
        settings = load_settings(DEPLOY / name, {"POSEBUS_REDIS": "rediss://redis:6379", **variables}, {})
        assert settings.cameras, service
        assert pod(stage)["terminationGracePeriodSeconds"] > settings.fleet.stop_timeout_s
    done = subprocess.run(
        [sys.executable, "-m", "posebus_cli", "config", "check", "--elsewhere", str(DEPLOY / name)],
        env={key: value for key, value in os.environ.items() if not key.startswith("POSEBUS_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def sources(document: Document) -> Iterator[tuple[str, str]]:
    """(kind, name) of each ConfigMap and Secret that the pods of a workload need."""
    for one in container(document).get("envFrom", []):
        if not one["secretRef"].get("optional"):
            yield "Secret", one["secretRef"]["name"]
    for volume in pod(document)["volumes"]:
        for part in [volume, *volume.get("projected", {}).get("sources", [])]:
            if "configMap" in part:
                yield "ConfigMap", part["configMap"]["name"]
            if "secret" in part:
                yield "Secret", part["secret"].get("secretName") or part["secret"]["name"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_find_their_settings_secrets_and_volumes(name: str) -> None:
    document = WORKLOADS[name]
    used = list(sources(document))
    assert used
    assert all(source in generated(kind) for kind, source in used)
    claims = document["spec"].get("volumeClaimTemplates", [])
    known = {volume["name"] for volume in pod(document)["volumes"]} | {one["metadata"]["name"] for one in claims}
    assert {mount["name"] for mount in container(document)["volumeMounts"]} == known


@pytest.mark.parametrize("name", STAGES)
def test_stages_call_their_command_as_their_role(name: str) -> None:
    from typer.main import get_command

    from posebus_cli.app import app

    if "command" in container(STAGES[name]):
        assert container(STAGES[name])["command"] == ["python", "-P", "-m", name]
        assert container(STAGES[name])["args"][0] == "--config"
    else:
        command, *arguments = container(STAGES[name])["args"]
        commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
        options = {flag for parameter in commands[command].params for flag in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("-")} <= options
    health = {"deliver": "sink"}.get(name, name)
    assert health in ROLES
    role = {"metrics": "monitor"}.get(name, name)
    passwords = {source for kind, source in sources(STAGES[name]) if kind == "Secret"}
    assert passwords == {f"posebus-{role}", "posebus-ca"}, "the password of its own role alone"
    assert generated("Secret")[f"posebus-{role}"] == [f"secrets/{role}.env"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        found = container(STAGES[name])[probe]
        if name == "metrics":
            assert found["httpGet"] == {"path": "/healthz", "port": "http"}
        else:
            assert found["exec"]["command"] == ["posebus", "health", health]


def test_services_of_compose_and_stages_of_kubernetes_are_the_same() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    # The wall is for browsers near its machine so far: a cluster would need its own way in.
    assert set(STAGES) == set(services) - {"redis", "worker-gpu", "cli", "wall"}


def test_only_the_sinks_have_no_pod_until_there_are_some() -> None:
    assert [name for name, stage in STAGES.items() if stage["spec"]["replicas"] == 0] == ["deliver"]
    assert not load_settings(DEPLOY / "posebus.yaml", {"POSEBUS_REDIS": "rediss://redis:6379"}, {}).sinks


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_have_no_rights_and_bounded_memory(name: str) -> None:
    document = WORKLOADS[name]
    assert pod(document)["automountServiceAccountToken"] is False
    assert pod(document)["enableServiceLinks"] is False
    user = pod(document)["securityContext"]
    assert user["runAsNonRoot"] is True
    assert user["runAsUser"] == user["fsGroup"] > 0
    assert user["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(document)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} == set(container(document)["resources"])
    assert "memory" in container(document)["resources"]["limits"]
    assert "/tmp" in [mount["mountPath"] for mount in container(document)["volumeMounts"]]


def test_the_images_are_those_of_the_dockerfile() -> None:
    targets = {line.split()[-1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM ")}
    for stage in STAGES.values():
        name, _, target = container(stage)["image"].partition(":")
        assert name == "posebus"
        assert target in targets


def test_the_broker_runs_as_in_the_compose_file() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]

    def options(arguments: list[str]) -> dict[str, str]:
        pairs = dict(zip(arguments[::2], arguments[1::2], strict=True))
        return {name: Path(value).name for name, value in pairs.items()}

    here = options(container(WORKLOADS["redis"])["args"])
    there = options(compose["command"][1:])
    assert here.pop("--dir") == "data"
    assert there.pop("--maxmemory") == "${REDIS_MAXMEMORY:-2gb}"
    assert here.pop("--maxmemory") == "2gb"
    assert here == there
    assert f"${{REDIS_IMAGE:-{container(WORKLOADS['redis'])['image']}}}" == compose["image"]


def test_services_and_policies_select_pods_and_their_ports() -> None:
    ports = {
        name: {port["name"]: port["containerPort"] for port in container(document).get("ports", [])}
        for name, document in WORKLOADS.items()
    }
    assert ports["metrics"] == {"http": DEFAULT_PORT}
    for name, service in of_kind("Service").items():
        [target] = selected(service["spec"]["selector"])
        assert target == name
        for port in service["spec"]["ports"]:
            assert ports[target][port["targetPort"]] == port["port"]
    for policy in of_kind("NetworkPolicy").values():
        [*targets] = selected(policy["spec"]["podSelector"].get("matchLabels", {}))
        for rule in policy["spec"].get("ingress", []):
            assert {port["port"] for port in rule["ports"]} <= ports[targets[0]].keys()
    assert set(selected({"posebus/broker": "client"})) == set(STAGES), "those may reach the broker"
    for budget in of_kind("PodDisruptionBudget").values():
        assert len(selected(budget["spec"]["selector"]["matchLabels"])) == 1
    for name, document in WORKLOADS.items():
        assert selected(document["spec"]["selector"]["matchLabels"]) == [name]
