"""Built engines in the cache are found complete and replaced in one step; damage is reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from workers.engines.built_in import OPENVINO
from workers.engines.spec import EngineRequest
from workers.weights.compiled import compiled_folder
from workers.weights.int8_cache import (
    BuiltEngine,
    facts_path,
    find_built,
    install,
    list_built,
    read_built,
)
from workers.weights.weights import Weights

WEIGHTS = Weights(path=Path("mine.pt"), sha256="ab" * 32, name="mine")


def put(cache: Path, content: str) -> BuiltEngine:
    """Install a graph whose weights are `content`."""
    scratch = cache / "engines" / ".build"
    scratch.mkdir(parents=True, exist_ok=True)
    graph = scratch / "int8.xml"
    graph.write_text(f"<net>{content}</net>")
    graph.with_suffix(".bin").write_text(content)
    compiled_folder(graph).mkdir()
    built = install(graph, WEIGHTS, cache, {"imgsz": 640, "about": content})
    assert not list(scratch.iterdir())
    scratch.rmdir()
    return built


def test_installed_engine_is_found(tmp_path: Path) -> None:
    assert find_built(WEIGHTS, tmp_path) is None
    assert list_built(tmp_path) == []
    built = put(tmp_path, "first")
    assert find_built(WEIGHTS, tmp_path) == built
    assert list_built(tmp_path) == [facts_path(WEIGHTS, tmp_path)]
    assert built.graph.with_suffix(".bin").read_text() == "first"
    assert (built.imgsz, built.facts["about"]) == (640, "first")


def test_only_the_previous_graph_is_kept_for_workers_that_use_it(tmp_path: Path) -> None:
    first, second, third = (put(tmp_path, content) for content in ("first", "second", "third"))
    assert not first.graph.exists()
    assert not first.graph.with_suffix(".bin").exists()
    assert not compiled_folder(first.graph).exists()
    assert second.graph.exists()
    assert compiled_folder(second.graph).is_dir()
    assert find_built(WEIGHTS, tmp_path) == third


def test_installing_the_same_graph_again_keeps_it(tmp_path: Path) -> None:
    put(tmp_path, "first")
    again = put(tmp_path, "first")
    assert find_built(WEIGHTS, tmp_path) == again


def test_damaged_engine_is_reported(tmp_path: Path) -> None:
    built = put(tmp_path, "first")
    path = facts_path(WEIGHTS, tmp_path)
    built.graph.with_suffix(".bin").unlink()
    with pytest.raises(EngineError, match="missing: build the engine again"):
        find_built(WEIGHTS, tmp_path)
    for text in ("{", "[]", json.dumps({"graph": "a.xml", "imgsz": "wide"})):
        path.write_text(text)
        with pytest.raises(EngineError, match="damaged: build the engine again"):
            read_built(path)


def test_missing_engine_is_reported_with_the_command_that_builds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.weights.export.export_onnx", lambda weights, cache_dir: tmp_path / "mine.onnx")
    settings = WorkerSettings(model="my models/mine.pt", imgsz=960, precision="int8", allow_unknown_weights=True)
    request = EngineRequest(weights=WEIGHTS, precision="int8", device="cpu", settings=settings, cache_dir=tmp_path)
    command = (
        "posebus engines build --precision int8 --imgsz 960 --model 'my models/mine.pt' "
        "--allow-unknown-weights --calibrate VIDEO"
    )
    with pytest.raises(EngineError, match=command):
        OPENVINO.build(request)
