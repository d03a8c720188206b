"""The files that the containers are made of: Dockerfile, .dockerignore, deploy/."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import redis
import yaml

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.loading import load_settings
from posebus.errors import BrokerUnavailable
from tests.conftest import ROOT, missing, start_redis_server
from tests.scripts import load_script

DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _script(name: str) -> ModuleType:
    return load_script(ROOT / "deploy" / f"{name}.py")


def test_dockerfile_has_the_targets_that_compose_builds() -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\w+)", DOCKERFILE, flags=re.MULTILINE))
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    assert {service["build"]["target"] for service in services if "build" in service} <= targets


def test_dockerfile_copies_only_what_exists_and_is_in_the_build_context() -> None:
    allowed = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    assert all((ROOT / name).exists() for name in allowed)
    for line in re.findall(r"^COPY (.+)", DOCKERFILE, flags=re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert source == "." or Path(source).parts[0] in allowed


def test_build_context_has_every_package_and_what_the_build_reads() -> None:
    allowed = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert {package.partition(".")[0] for package in packages} <= set(allowed)
    assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= set(allowed)


def test_requirements_resolve_what_posebus_asks_of_itself() -> None:
    listed = list(_script("requirements").requirements(PROJECT, ["all"]))
    assert not [line for line in listed if line.startswith("posebus")]
    expected = {
        line
        for extra in ("stage", "cli", "embedded", "ingest", "worker", "tracking", "jobs")
        for line in PROJECT["optional-dependencies"][extra]
        if not line.startswith("posebus[")
    }
    assert expected | set(PROJECT["dependencies"]) == set(listed)


def test_ingest_and_tracking_need_no_torch() -> None:
    listed = " ".join(_script("requirements").requirements(PROJECT, ["cli", "ingest", "tracking", "jobs"]))
    assert "torch" not in listed
    assert "ultralytics" not in listed, "ultralytics requires torch"


def test_deployment_file_is_valid() -> None:
    settings = load_settings(ROOT / "deploy" / "posebus.yaml", {"POSEBUS_REDIS": "rediss://worker:x@redis:6379/0"}, {})
    assert settings.cameras


def test_redis_configuration_is_accepted_and_never_evicts(tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed (on Debian: apt install redis-server)")
    config_file = ROOT / "deploy" / "redis.conf"
    process, url = start_redis_server(str(program), tmp_path, "--maxmemory", "64mb", config=config_file)
    try:
        config = redis.Redis.from_url(url, decode_responses=True).config_get("*")
    finally:
        process.terminate()
        process.wait(timeout=10)
    assert config["appendonly"] == "yes"
    assert config["maxmemory-policy"] == "noeviction"
    assert config["maxmemory"] == str(64 * 1024**2)


def test_health_check_counts_only_its_own_role_and_host(redis_server: str) -> None:
    check = _script("health").check
    broker = open_broker(redis_server)
    broker.client.flushdb()
    assert "no worker of" in check(redis_server, "worker", "here")
    registry = Registry(broker)
    registry.report("worker-1", "worker", {"host": "there"})
    registry.report("ingest-1", "ingest", {"host": "here"})
    assert "no worker of" in check(redis_server, "worker", "here")
    registry.report("worker-2", "worker", {"host": "here"})
    assert check(redis_server, "worker", "here") is None


def test_health_check_never_prints_the_password() -> None:
    with pytest.raises(BrokerUnavailable) as caught:
        _script("health").check("redis://:sesame@127.0.0.1:1/0", "worker", "here")
    assert "sesame" not in str(caught.value)
