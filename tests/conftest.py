"""Fixtures that every suite shares. A test with missing requirements fails in CI; elsewhere it is skipped."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings
from xdist.remote import Producer

from tests.distribution import SchedulingThatEnds
from tests.once import made_once
from tests.ports import free_port
from tests.progress import FailuresAtOnce

# Tests that import ultralytics must not let it install or look for packages.
os.environ.setdefault("YOLO_AUTOINSTALL", "false")
# Kernels are compiled once for all processes, also for those with a separate cache folder.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path("~/.cache/posebus/kernels").expanduser()))

# A shell that starts the tests in the background has them ignore Ctrl-C, and all processes that they start, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
START_TIMEOUT_S = 10.0
NODE_PACKAGES = ("@asyncapi/specs@6.11.1", "onnxruntime-web@1.30.0", "redis@6.3.1")
"""From npm: the official JSON Schemas of AsyncAPI, what runs networks in browsers, and the usual client of Redis."""
NPM_INSTALL = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="tests in their long versions, and those that take long")


def pytest_configure(config: pytest.Config) -> None:
    # No example has a deadline: tests assert laws, and on a busy machine everything takes longer.
    settings.register_profile("usual", deadline=None, max_examples=30)
    settings.register_profile("thorough", deadline=None, max_examples=200)
    settings.load_profile("thorough" if config.getoption("--thorough") else "usual")
    config.addinivalue_line("markers", "thorough: a repetition that only --thorough runs")
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailuresAtOnce(config))
        compile_once(config.args)


def compile_once(arguments: list[str]) -> None:
    """Compile the kernels and, in a new checkout, the tests, one beside the other.

    Else each of the processes would compile all of both, while tests of live cameras wait for the processor.
    """
    commands = [["-c", "from tracking.warm_up import warm_up; warm_up()"]]
    if not sys.dont_write_bytecode and next((ROOT / "tests").rglob("test_*-pytest-*.pyc"), None) is None:
        commands.append(["-m", "pytest", "-n", "0", "--collect-only", "-q", *arguments])
    running = [subprocess.Popen([sys.executable, *one], cwd=ROOT, stdout=subprocess.DEVNULL) for one in commands]
    for process in running:
        process.wait()


def pytest_collection() -> None:
    # Searching the thousands of tests for garbage again and again would take a quarter of the time of collecting them.
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()  # they stay until the end
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--thorough"):
        long = [item for item in items if item.get_closest_marker("thorough") is not None]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item.get_closest_marker("thorough") is None]
    # Files that take minutes begin first, so that the many short ones fill up all processes at the end.
    items.sort(key=lambda item: item.path.parent.name not in ("faults", "integration"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SchedulingThatEnds:
    return SchedulingThatEnds(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: three processes on two cores. Many tests wait for others, but some run a whole deployment."""
    return max(2, 3 * len(os.sched_getaffinity(0)) // 2)


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether the long versions run, with many more kills, reconnects and inputs than `make test` has time for."""
    return bool(pytestconfig.getoption("--thorough"))


def missing(reason: str) -> None:
    """Fail where CI is set, skip elsewhere: a user may lack the data or a broker, CI may not."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share: those of pytest-xdist have folders of their own in it."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def engine_cache(run_folder: Path) -> Path:
    """A cache folder in which each network is exported once for all tests; exporting holds a lock between processes."""
    folder = run_folder / "engine-cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def node_packages(run_folder: Path) -> Path:
    """The folder `node_modules` with NODE_PACKAGES, installed once for all tests."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            missing(f"{program} is not installed (on Debian: apt install nodejs npm)")

    def install(folder: Path) -> None:
        command = [*NPM_INSTALL, str(folder), *NODE_PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        if done.returncode != 0:
            missing(f"npm could not install {', '.join(NODE_PACKAGES)}: {done.stderr[-300:]}")

    return made_once(run_folder / "node", install) / "node_modules"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of clips with ground truth next to the repository."""
    if not SHARED_DATA.is_dir():
        missing("the folder ../shared/data with the test clips is not there")
    return SHARED_DATA


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a separate real redis-server on a free loopback port that keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed (on Debian: apt install redis-server)")
    folder = tmp_path_factory.mktemp("redis-server")
    process, url = start_redis_server(str(program), folder)
    yield url
    process.terminate()
    process.wait(timeout=START_TIMEOUT_S)


def start_redis_server(
    program: str, folder: Path, *options: str, config: Path | None = None
) -> tuple[subprocess.Popen[bytes], str]:
    """Starts `program` on a free port; returns it, answering, and its address.

    With `config`, a redis.conf, it runs by that file; without, it keeps nothing on disk. `options` are as on its
    command line. Should another program take the port between our looking and its binding, another port is tried.
    """
    log = folder / "redis.log"
    settings = ["--save", "", "--appendonly", "no"] if config is None else []
    start = [program] if config is None else [program, str(config)]
    for _ in range(5):
        port = free_port()
        place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--logfile", str(log)]
        process = subprocess.Popen([*start, *place, *settings, *options])
        if _answers(process, port):
            return process, f"redis://127.0.0.1:{port}/0"
        process.kill()
        process.wait()
    text = log.read_text() if log.exists() else "it wrote no log"
    pytest.fail(f"redis-server did not start: {text}")


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether `process` itself answers on `port` in time; a request for a password is an answer too."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        client = redis.Redis(port=port, socket_timeout=1.0)
        try:
            client.ping()
        except redis.AuthenticationError:
            return process.poll() is None
        except (redis.ConnectionError, redis.TimeoutError):
            time.sleep(0.02)
        else:
            return process.poll() is None
        finally:
            client.close()
    return False
