"""What a page needs to run the network: fetched once, checked, and a sentence where it cannot be had."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from posebus.config.settings import Settings
from posebus.errors import WeightsError
from wall.app import application
from wall.browser_camera import ort_package
from wall.browser_camera.ort_package import DEFAULT_REGISTRY, FILES, NetworkMissing, OrtPackage, npm_registry
from wall.context import WallContext


def archive(names: tuple[str, ...] = tuple(FILES)) -> bytes:
    """An archive as the registry sends it, with the name of each file as its content."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as package:
        for name in names:
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(name)
            package.addfile(member, io.BytesIO(name.encode()))
    return file.getvalue()


class Registry:
    """A registry that sends `body` for each request, and notes what was asked for."""

    def __init__(self, body: bytes) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    body = archive()
    monkeypatch.setattr(ort_package, "INTEGRITY", base64.b64encode(hashlib.sha512(body).digest()).decode())
    made = Registry(body)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_archive_is_fetched_once(registry: Registry, tmp_path: Path) -> None:
    package = OrtPackage(tmp_path, registry.address + "/")
    for name in FILES:
        assert package.file(name).read_text() == name
    assert registry.asked == ["/onnxruntime-web/-/onnxruntime-web-1.30.0.tgz"]
    assert OrtPackage(tmp_path, "http://127.0.0.1:9").file("ort.wasm.min.mjs").is_file(), "it needs no network again"
    assert [path.name for path in (tmp_path / "browser").iterdir()] == ["onnxruntime-web-1.30.0"], "no unfinished files"


def test_another_archive_is_refused(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort_package, "INTEGRITY", "something else")
    with pytest.raises(NetworkMissing, match=r"is not onnxruntime-web 1\.30\.0"):
        OrtPackage(tmp_path, registry.address).file("ort.wasm.min.mjs")
    assert not list(tmp_path.rglob("*.mjs"))


def test_without_a_registry_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NetworkMissing) as caught:
        OrtPackage(tmp_path, "http://user:secret@127.0.0.1:9").file("ort.wasm.min.mjs")
    sentence = str(caught.value)
    assert "npm pack onnxruntime-web@1.30.0" in sentence
    assert str(tmp_path / "browser" / "onnxruntime-web-1.30.0") in sentence
    assert "secret" not in sentence


def test_the_registry_is_that_of_npm(tmp_path: Path) -> None:
    assert npm_registry({}, tmp_path) == DEFAULT_REGISTRY
    (tmp_path / ".npmrc").write_text("color=true\nregistry = https://mirror.example/npm/\n")
    assert npm_registry({}, tmp_path) == "https://mirror.example/npm/"
    assert npm_registry({"npm_config_registry": "http://here"}, tmp_path) == "http://here"


def test_files_are_served_by_name_only(tmp_path: Path) -> None:
    folder = tmp_path / "browser" / "onnxruntime-web-1.30.0"
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text(name)
    network = tmp_path / "made.onnx"
    network.write_bytes(b"network")
    context = WallContext(Settings(cache_dir=tmp_path), make_network=lambda: network)
    client = TestClient(application(context))
    for name, kind in FILES.items():
        answer = client.get(f"/network/{name}")
        assert answer.text == name
        assert answer.headers["content-type"].startswith(kind)
    assert client.get("/network/pose.onnx").content == b"network"
    for name in ("package.json", "..%2fmade.onnx", "ort.all.mjs"):
        assert client.get(f"/network/{name}").status_code == 404


def test_a_network_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    def make() -> Path:
        raise WeightsError("there are no weights")

    client = TestClient(application(WallContext(Settings(cache_dir=tmp_path), make_network=make)))
    answer = client.get("/network/pose.onnx")
    assert (answer.status_code, answer.json()) == (503, {"sentence": "there are no weights"})
