"""Children of a fleet: which modules they run, and what they find in their environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from posebus.config.environment import PREFIX, RESERVED
from posebus.config.loading import CACHE_DIR_ENV, cache_folder, dump_settings, load_settings
from posebus.config.settings import FleetSettings, Settings, WorkerSettings
from posebus.runtime.fleet import stage_process, with_threads
from tests.conftest import ROOT

KERNELS_FOLDER = """
import json, os, sys
sys.path.insert(0, {root!r})
import tracking.process
import tracking.compiled
json.dump(str(tracking.compiled.CACHE_DIR), open({out!r}, "w"))
"""


def test_a_child_runs_the_module_that_the_caller_names() -> None:
    spec = stage_process("camera", Settings(), Path("x.yaml"), "some_stage", "--camera", "door")
    assert spec.argv == [sys.executable, "-P", "-m", "some_stage", "--config", "x.yaml", "--camera", "door"]
    assert spec.writes_stack_traces


def test_a_child_reads_settings_from_its_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSEBUS_WORKER__IMGSZ", "320")
    spec = stage_process("worker", Settings(), Path("x.yaml"), "workers")
    left = {name for name, value in spec.env.items() if value and name.startswith(PREFIX)} - RESERVED
    assert left == {CACHE_DIR_ENV}
    assert spec.env["POSEBUS_WORKER__IMGSZ"] == ""


def test_the_cache_folder_is_that_of_the_settings_then_of_the_environment_then_the_default() -> None:
    environ = {CACHE_DIR_ENV: "/from/environment"}
    assert cache_folder(Settings(cache_dir=Path("/from/settings")), environ) == Path("/from/settings")
    assert cache_folder(Settings(), environ) == cache_folder(environ=environ) == Path("/from/environment")
    assert cache_folder(Settings()) == cache_folder(environ={CACHE_DIR_ENV: ""}) == Path.home() / ".cache" / "posebus"


def test_cache_dir_of_the_file_reaches_the_kernels_of_a_fleets_tracker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_DIR_ENV, str(tmp_path / "environment"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    path = tmp_path / "posebus.yaml"
    path.write_text(f"cache_dir: {tmp_path / 'yaml'}\n")
    settings = load_settings(path, {}, {})
    config = tmp_path / "settings.yaml"
    dump_settings(settings, config)
    spec = stage_process("tracker-1", settings, config, "tracking")
    out = tmp_path / "folder.json"
    code = KERNELS_FOLDER.format(root=str(ROOT), out=str(out))
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **spec.env}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True, cwd=ROOT)
    assert Path(json.loads(out.read_text())).parent == tmp_path / "yaml" / "kernels"


@pytest.mark.parametrize("command", [["tracking"], ["posebus_cli", "track"]])
def test_cache_dir_of_the_file_reaches_the_kernels_of_a_tracker_by_itself(command: list[str], tmp_path: Path) -> None:
    path = tmp_path / "posebus.yaml"
    path.write_text(f"cache_dir: {tmp_path / 'yaml'}\nredis: redis://127.0.0.1:1\n")
    # Compiling takes many seconds, so the stage itself is replaced by one that prints the folder.
    code = f"""
import runpy, sys, types
sys.path.insert(0, {str(ROOT)!r})

def run_tracker(settings, followed):
    import tracking.compiled
    print(tracking.compiled.CACHE_DIR)

sys.modules["tracking.process"] = stand_in = types.ModuleType("tracking.process")
stand_in.run_tracker = run_tracker
sys.argv = [{command[0]!r}, *{command[1:]!r}, "--config", {str(path)!r}]
runpy.run_module({command[0]!r}, run_name="__main__", alter_sys=True)
"""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).parent == tmp_path / "yaml" / "kernels"


@pytest.mark.parametrize(
    ("workers", "cpus", "before", "threads"),
    [
        (1, 8, None, None),
        (2, 8, None, 4),
        (5, 16, 4, 4),  # near enough to 3: no engine is loaded again
        (8, 8, 4, 1),
        (1, 8, 4, None),
        (7, 8, 1, 1),
        (4, 2, None, 1),
        (0, 8, None, None),
    ],
)
def test_processors_are_divided_among_workers_anew_only_if_shares_are_far_off(
    workers: int, cpus: int, before: int | None, threads: int | None
) -> None:
    settings = Settings(fleet=FleetSettings(workers=workers))
    assert with_threads(settings, cpus, before).worker.threads == threads
    chosen = Settings(fleet=FleetSettings(workers=workers), worker=WorkerSettings(threads=3))
    assert with_threads(chosen, cpus, before).worker.threads == 3
