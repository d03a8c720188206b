"""What the images are made from and say about themselves: digests of their bases, labels, and lists of packages."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from tests.conftest import ROOT
from tests.scripts import load_script

PIN = load_script(ROOT / "deploy" / "pin_images.py")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
FINAL = ("stage", "worker", "worker-cpu")
CYCLONEDX = Path(sys.executable).parent / "cyclonedx-py"


def body_of(target: str) -> str:
    """The part of the Dockerfile that builds `target`."""
    found = re.search(rf"^FROM \S+ AS {target}\n(?P<body>.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found
    return found["body"]


class Registry(BaseHTTPRequestHandler):
    """A registry as Docker describes it: manifests only for those who show a token of its service."""

    lies = False

    def do_GET(self) -> None:
        host = self.headers["Host"]
        path, _, query = self.path.partition("?")
        if path == "/token":
            assert "scope=repository" in query
            self.answer(200, b'{"token": "let-me-in"}')
        elif self.headers.get("Authorization") != "Bearer let-me-in":
            challenge = f'Bearer realm="http://{host}/token",service="test",scope="repository:library/x:pull"'
            self.answer(401, b"", {"WWW-Authenticate": challenge})
        elif (found := re.fullmatch(r"/v2/library/(python|redis)/manifests/([\w.-]+)", path)) is not None:
            assert "oci.image.index" in self.headers["Accept"], "a list for all processors"
            manifest = manifest_of(f"{found[1]}:{found[2]}")
            digest = "0" * 64 if self.lies else hashlib.sha256(manifest).hexdigest()
            self.answer(200, manifest, {"Docker-Content-Digest": f"sha256:{digest}"})
        else:
            self.answer(404, b"{}")

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class LyingRegistry(Registry):
    lies = True


def manifest_of(image: str) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": [], "annotations": {"image": image}}).encode()


@pytest.fixture(params=[Registry])
def registry(request: pytest.FixtureRequest) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), request.param)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files that name images, and of the script."""
    for name in [*PIN.PLACES, "deploy/pin_images.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(checkout: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "deploy" / "pin_images.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_images_are_pinned_by_the_hash_of_their_manifest_and_unpinned_again(checkout: Path, registry: str) -> None:
    assert run(checkout, "--unpin").returncode == 0
    before = {name: (checkout / name).read_text() for name in PIN.PLACES}
    assert run(checkout, "--check").stdout.startswith("no image has a digest yet: python:")
    done = run(checkout, "--registry", registry)
    assert done.returncode == 0, done.stderr
    for image in ("python:3.11-slim-bookworm", "redis:7.4-bookworm"):
        assert f"{image}@sha256:{hashlib.sha256(manifest_of(image)).hexdigest()}\n" in done.stdout
    assert run(checkout, "--check").stdout == "all 2 images have a digest\n"
    compose = yaml.safe_load((checkout / "docker-compose.yml").read_text())
    assert re.fullmatch(r"\$\{REDIS_IMAGE:-redis:[\w.-]+@sha256:[0-9a-f]{64}\}", compose["services"]["redis"]["image"])
    pinned = {name: (checkout / name).read_text() for name in PIN.PLACES}
    assert run(checkout, "--registry", registry).returncode == 0
    assert {name: (checkout / name).read_text() for name in PIN.PLACES} == pinned, "once more changes nothing"
    assert run(checkout, "--unpin").returncode == 0
    assert {name: (checkout / name).read_text() for name in PIN.PLACES} == before


def test_an_image_without_a_digest_is_refused_once_others_have_one(checkout: Path, registry: str) -> None:
    assert run(checkout, "--registry", registry).returncode == 0
    path = checkout / "Dockerfile"
    path.write_text(re.sub(r"@sha256:[0-9a-f]{64}", "", path.read_text()))
    done = run(checkout, "--check")
    assert done.returncode == 1
    assert done.stderr.startswith("pin_images: without a digest, though other images have one: python:3.11")


@pytest.mark.parametrize("registry", [LyingRegistry], indirect=True)
def test_a_manifest_that_is_not_the_one_it_claims_to_be_is_refused(checkout: Path, registry: str) -> None:
    before = (checkout / "Dockerfile").read_text()
    done = run(checkout, "--registry", registry)
    assert done.returncode == 1
    assert "sent another manifest" in done.stderr
    assert (checkout / "Dockerfile").read_text() == before


def test_a_registry_that_cannot_be_reached_changes_nothing(checkout: Path) -> None:
    before = (checkout / "Dockerfile").read_text()
    done = run(checkout, "--registry", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "cannot be looked up" in done.stderr
    assert "Traceback" not in done.stderr
    assert (checkout / "Dockerfile").read_text() == before


def test_the_images_of_this_checkout_are_all_pinned_or_none() -> None:
    PIN.check(ROOT)


@pytest.mark.parametrize("target", FINAL)
def test_images_have_labels_and_list_their_packages_last(target: str) -> None:
    body = body_of(target)
    for name in ("version", "revision", "source"):
        assert f"org.opencontainers.image.{name}=${name.upper()}" in body
        assert body.index("pip install") < body.index(f"ARG {name.upper()}="), "layers of packages stay in the cache"
    assert body.rindex("pip install") < body.index("cyclonedx-py environment"), "posebus itself is listed, too"
    for name in ("title", "description", "licenses", "base.name"):
        assert f"org.opencontainers.image.{name}=" in body_of("base")


def test_compose_passes_labels_to_all_images() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    for service in services:
        if "build" in service:
            assert {"VERSION", "REVISION", "SOURCE"} <= service["build"]["args"].keys()


def test_packages_of_an_image_are_listed_as_the_dockerfile_does(tmp_path: Path) -> None:
    """With a small environment in the place of an image's, and without the tool's own check, which takes long."""
    venv.create(tmp_path / "venv", symlinks=True)
    site = next((tmp_path / "venv").glob("lib/*/site-packages"))
    for name in ("posebus", "redis", "numpy"):
        [folder] = Path(redis.__file__).parents[1].glob(f"{name}-*.dist-info")
        shutil.copytree(folder, site / folder.name)
    [options] = {" ".join(found.split()) for found in re.findall(r"cyclonedx-py (environment [^\\]*)", DOCKERFILE)}
    wanted = [*options.split(), str(tmp_path / "sbom.json"), "--no-validate", str(tmp_path / "venv" / "bin" / "python")]
    wanted.remove("/usr/local/share/sbom/posebus.cdx.json")
    subprocess.run([CYCLONEDX, *wanted], check=True, capture_output=True)
    bom = json.loads((tmp_path / "sbom.json").read_text())
    components = {one["name"]: one for one in bom["components"]}
    assert components.keys() == {"posebus", "redis", "numpy"}
    assert components["posebus"]["licenses"]
    needs = {one["ref"]: one.get("dependsOn", []) for one in bom["dependencies"]}
    assert components["redis"]["bom-ref"] in needs[components["posebus"]["bom-ref"]]


def test_make_sbom_lists_the_lock(tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    makefile = (ROOT / "Makefile").read_text()
    found = re.search(r"cyclonedx-py (requirements .*) sbom\.cdx\.json constraints\.txt", makefile)
    assert found
    command = [CYCLONEDX, *found[1].split(), str(tmp_path / "sbom.json"), "constraints.txt", "--no-validate"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    text = (tmp_path / "sbom.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    lock = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)
    assert {(one["name"], one["version"]) for one in bom["components"]} == set(lock)
    assert bom["metadata"]["component"]["name"] == "posebus"
