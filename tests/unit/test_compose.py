"""docker-compose.yml against the compose specification, and against the files and commands that it names.

No container engine is needed, so what an engine would find out only at run time is checked here piece by piece.
"""

from __future__ import annotations

import itertools
import json
import re
from importlib.resources import files
from typing import Any

import pytest
import yaml

from posebus.config.settings import Settings
from posebus.config.wall.wall_settings import DEFAULT_PORT as WALL_PORT
from posebus.runtime.health import ROLES
from posebus_cli.observe.metrics import DEFAULT_PORT
from tests.conftest import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
STAGES = {name: service for name, service in SERVICES.items() if "posebus" in service["image"] and name != "cli"}
OURS = {**STAGES, "cli": SERVICES["cli"]}


def test_follows_the_compose_specification() -> None:
    import jsonschema

    vendored = files("check_jsonschema").joinpath("builtin_schemas", "vendor", "compose-spec.json")
    jsonschema.Draft202012Validator(json.loads(vendored.read_text())).validate(COMPOSE)


def test_has_the_services_of_the_pipeline() -> None:
    services = {"redis", "ingest", "worker", "worker-gpu", "tracker", "evidence", "deliver", "metrics", "wall", "cli"}
    assert set(SERVICES) == services


@pytest.mark.parametrize("name", ["redis", *STAGES])
def test_every_service_is_checked_restarted_and_given_time_to_stop(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert float(service["healthcheck"]["start_interval"].removesuffix("s")) <= 2.0
    assert service["restart"] == "unless-stopped"
    assert re.fullmatch(r"\d+s", service["stop_grace_period"])


@pytest.mark.parametrize("name", STAGES)
def test_the_health_of_a_stage_is_that_of_its_own_role(name: str) -> None:
    role = {"worker-gpu": "worker", "deliver": "sink"}.get(name, name)
    assert role in ROLES
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "posebus", "health", role]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_can_change_its_image_gain_rights_or_fill_the_disk_with_logs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()
    assert ("cap_add" in service) is (name == "redis"), "its entry point begins as root and drops all rights"


@pytest.mark.parametrize("name", SERVICES)
def test_what_programs_write_has_a_place_beside_the_read_only_image(name: str) -> None:
    service = SERVICES[name]
    mounted = [volume.split(":")[1] for volume in service["volumes"]]
    writable = [*(place.partition(":")[0] for place in service["tmpfs"]), *mounted]
    assert "/tmp" in writable
    assert writable.count("/data" if name == "redis" else "/var/cache/posebus") == 1
    assert ("cache:/var/cache/posebus" in service["volumes"]) is (name in {"worker", "worker-gpu", "tracker"}), (
        "workers execute it"
    )


def test_each_image_is_built_by_one_service() -> None:
    built = [(service["image"], name) for name, service in SERVICES.items() if "build" in service]
    assert built == [
        ("posebus:stage", "ingest"),
        ("posebus:${WORKER_TARGET:-worker}", "worker"),
        ("posebus:worker", "worker-gpu"),
    ]
    assert {service["image"] for service in OURS.values()} == {image for image, _ in built}
    # Without a policy, Compose looks for an image that it did not build yet in a public registry.
    assert all(service["pull_policy"] == "never" for service in OURS.values() if "build" not in service)


@pytest.mark.parametrize("name", STAGES)
def test_stages_wait_for_a_healthy_broker_and_drain_before_they_are_killed(name: str) -> None:
    service = STAGES[name]
    assert service["depends_on"] == {"redis": {"condition": "service_healthy"}}
    stop_timeout_s = Settings.model_validate(_deployment()).fleet.stop_timeout_s
    assert float(service["stop_grace_period"].removesuffix("s")) > stop_timeout_s


@pytest.mark.parametrize("name", ["worker", "worker-gpu", "tracker"])
def test_scalable_services_have_nothing_that_only_one_container_can_have(name: str) -> None:
    assert not {"container_name", "ports", "hostname"} & set(SERVICES[name])


@pytest.mark.parametrize("name", OURS)
def test_each_service_has_the_password_of_its_own_role_alone(name: str) -> None:
    role = {"worker-gpu": "worker", "metrics": "monitor", "wall": "live_wall", "cli": "operator.container"}.get(
        name, name
    )
    service = OURS[name]
    assert service["env_file"] == f"./deploy/secrets/{role}.env"
    mounted = [volume for volume in service["volumes"] if "secrets" in volume]
    assert mounted == ["./deploy/secrets/ca.pem:/etc/posebus/ca.pem:ro"]


def test_the_broker_accepts_no_connection_without_encryption_and_login() -> None:
    first, *command = SERVICES["redis"]["command"]
    assert first.endswith(".conf"), "an entry point that knows only its own server's name would start it as root"
    options = dict(itertools.pairwise(command))
    assert options["--port"] == "0"
    assert options["--tls-port"] == "6379"
    assert {"--aclfile", "--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file"} <= options.keys()


def test_secrets_are_kept_out_of_the_repository_and_of_images() -> None:
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert [line for line in ignored if line.startswith("!deploy")] == ["!deploy/requirements.py"]


def test_the_gpu_is_only_asked_for_in_its_profile() -> None:
    [device] = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {
        "worker-gpu": ["gpu"],
        "evidence": ["evidence"],
        "deliver": ["deliver"],
        "cli": ["cli"],
    }
    assert [name for name, service in SERVICES.items() if "deploy" in service] == ["worker-gpu"]


def test_ports_are_published_on_the_loopback_interface_unless_told_otherwise() -> None:
    assert SERVICES["redis"]["ports"] == ["${REDIS_BIND:-127.0.0.1}:${REDIS_PORT:-6379}:6379"]
    assert SERVICES["metrics"]["ports"] == [f"${{METRICS_BIND:-127.0.0.1}}:${{METRICS_PORT:-9464}}:{DEFAULT_PORT}"]
    assert SERVICES["wall"]["ports"] == [f"${{WALL_BIND:-127.0.0.1}}:${{WALL_PORT:-8088}}:{WALL_PORT}"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["redis", "wall", "metrics"]


@pytest.mark.parametrize("name", SERVICES)
def test_mounted_files_and_volumes_exist(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        source = re.sub(r"\$\{\w+:-(?P<default>[^}]*)\}", r"\g<default>", volume).split(":")[0]
        if source.startswith("./deploy/secrets/"):
            continue  # made by deploy/make_secrets.py
        if source.startswith("./deploy/"):
            assert (ROOT / source).is_file(), f"{name} mounts {source}, which does not exist"
        else:
            assert source in {*COMPOSE["volumes"], "./media"}, f"{name} mounts {source}, which nothing defines"


def test_the_evidence_process_is_a_module_with_the_options_of_a_stage() -> None:
    service = SERVICES["evidence"]
    assert service["entrypoint"] == ["python", "-P", "-m", "evidence"]
    assert service["command"][0] == "--config"


@pytest.mark.parametrize("name", [name for name in OURS if name != "evidence"])
def test_stages_call_commands_that_the_program_has(name: str) -> None:
    from typer.main import get_command

    from posebus_cli.app import app

    command, *arguments = OURS[name]["command"]
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    assert command in commands
    options = {flag for parameter in commands[command].params for flag in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= options


def _deployment() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "posebus.yaml").read_text())
    return loaded
