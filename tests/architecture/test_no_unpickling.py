"""No module unpickles or runs code from data, except for weights whose hash was checked before."""

from __future__ import annotations

import ast

import pytest
from architecture.tree import PACKAGES, ROOT, imports, modules, parse

FORBIDDEN = {
    "pickle",
    "cPickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "jsonpickle",
    "copyreg",
}
MAY_IMPORT = {"workers/engines/torch.py": {"pickle.UnpicklingError"}}
"""Imported only to catch its error."""
CALLS = {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.load", "np.load", "numpy.load", "eval", "exec"}
UNPICKLES_WEIGHTS = {"workers/engines/torch.py", "workers/weights/ultralytics_child.py"}
"""The function in which ultralytics loads a .pt file."""


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_an_unpickler(package: str) -> None:
    wrong = []
    for path in modules(package):
        where = str(path.relative_to(ROOT))
        tree = parse(path)
        found = {name for name in imports(path, tree) if name.partition(".")[0] in FORBIDDEN}
        if where in MAY_IMPORT and found == {"pickle"}:
            used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            found = {name for name in used if name.startswith("pickle.")} - MAY_IMPORT[where]
        wrong += [f"{where}: {name}" for name in sorted(found)]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_calls_functions_that_run_code_from_data(package: str) -> None:
    wrong = []
    for path in modules(package):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                unsafe = name == "yaml.compose" and "SafeLoader" not in ast.unparse(node)
                allows = any(keyword.arg == "allow_pickle" for keyword in node.keywords)
                if name in CALLS or unsafe or allows:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert not wrong


def test_weights_are_unpickled_only_where_their_hash_was_checked() -> None:
    loading = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in modules(package)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "YOLO"
    }
    assert loading == UNPICKLES_WEIGHTS


def test_job_queue_is_read_and_written_only_as_json() -> None:
    source = parse(ROOT / "recordings" / "jobs" / "queue.py")
    made = [
        node
        for node in ast.walk(source)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Queue", "RecordingWorker", "Job.fetch"}
    ]
    assert len(made) >= 2
    for call in made:
        assert {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}["serializer"] == "JSONSerializer"


@pytest.mark.parametrize("package", PACKAGES)
def test_json_is_parsed_in_one_place_within_limits(package: str) -> None:
    parsing = {
        str(path.relative_to(ROOT))
        for path in modules(package)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"json.loads", "json.load", "loads"}
    }
    assert parsing == ({"posebus/contract/foreign_json.py"} if package == "posebus" else set())
