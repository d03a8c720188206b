"""The snippets of README run as they stand, in their order, in one folder, against one `posebus up`.

Every line of a code block belongs to one of the classes in `CLASSES`, which says how it is run; a line of no class
fails. Only what cannot exist on a test machine is replaced, see `Snippets.replaced`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import samples
import yaml

from posebus.bus.redis.connection import connect
from posebus.config.loading import check_settings
from posebus.config.settings import EMBEDDED_PORT
from posebus.contract.public_json import dump, event_from_json, event_to_json, parse, track_frame_from_json
from posebus.topology import Topology
from tests.clips import head, photograph
from tests.conftest import ROOT, missing
from tests.integration.run_command import environment
from tests.polling import wait_until
from tests.ports import free_port

README = ROOT / "README.md"
FRAMES = 8
"""Of each recording."""
END_S = 600.0


class Block(NamedTuple):
    """A code block: its language, its text, and the number of its first line."""

    language: str
    text: str
    line: int


def blocks() -> list[Block]:
    text = README.read_text()
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [Block(one[1], one[2], text.count("\n", 0, one.start()) + 2) for one in found]


def shell_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@dataclass
class Snippets:
    """What the snippets share: a folder, a port for the broker of `up`, and the programs that keep running."""

    folder: Path
    cache: Path
    port: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    up: subprocess.Popen[bytes] | None = None
    count: int = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def replaced(self, text: str) -> str:
        """Return `text` with cameras, addresses and ports that exist here."""
        for there, here in (
            ("rtsp://user:password@192.0.2.10/stream2", "synthetic:bus?fps=4"),
            ("usb:0", "synthetic:zidane?fps=2"),
            ("'rediss://user:password@192.0.2.1:6379/0?ssl_ca_certs=/etc/posebus/ca.pem'", self.url),
            # The port of `up` may be in use, by another test run or by a deployment of the developer.
            (str(EMBEDDED_PORT), str(self.port)),
        ):
            text = text.replace(there, here)
        return text

    def start(self, line: str) -> Program:
        """Start a line of shell. Once `up` runs, the environment names its broker, which is not at the usual port."""
        self.count += 1
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        known = {
            **environment(self.cache),
            "PATH": path,
            "POSEBUS_REDIS": self.url if self.up else "",
            "YOLO_OFFLINE": "true",
        }
        program = Program(self.folder / f".{self.count}", line, self.folder, known)
        self.running.append(program.process)
        return program

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


class Program:
    """A line of shell that runs, and what it has printed."""

    def __init__(self, log: Path, line: str, folder: Path, variables: dict[str, str]) -> None:
        self.line = line
        self._out, self._err = log.with_suffix(".out"), log.with_suffix(".err")
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"], cwd=folder, env=variables, stdout=out, stderr=err
            )

    @property
    def printed(self) -> str:
        return self._out.read_text()

    @property
    def errors(self) -> str:
        return self._err.read_text()

    def end(self) -> int:
        """Wait for its end; returns the exit code."""
        code = self.process.wait(timeout=END_S)
        assert "Traceback" not in self.errors, self.errors
        return code

    def interrupt(self) -> int:
        """End it by Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=END_S)

    def wait_for(self, text: str) -> None:
        """Wait until it has printed `text`."""

        def printed() -> bool:
            assert self.process.poll() in (None, 0), f"{self.line}: {self.errors}"
            return text in self.printed + self.errors

        wait_until(printed, lambda: f"{self.line}: {text!r} in {self.printed + self.errors}")


# ---- one function for each class of lines ---------------------------------------------------------------------------


def ends_well(snippets: Snippets, line: str) -> None:
    program = snippets.start(line)
    assert program.end() == 0, f"{line}: {program.errors}"
    assert program.printed.strip(), line


def needs_a_download(snippets: Snippets, line: str) -> None:
    """Without a network it ends before any work, with one sentence about what to do."""
    before = set(snippets.folder.glob("posebus-out*"))
    program = snippets.start(line)
    assert program.end() == 1
    assert re.fullmatch(r"posebus: .*put yolo11n-seg\.pt there \(a file of https://\S+\).*\n", program.errors)
    assert set(snippets.folder.glob("posebus-out*")) == before


def keeps_running(snippets: Snippets, line: str) -> None:
    """It is ended by Ctrl-C after its first output."""
    for command in ("posebus metrics", "posebus wall"):
        line = re.sub(f"^{command}", f"{command} --port {free_port()}", line)
    program = snippets.start(line)
    wait_until(lambda: program.printed.strip() or program.process.poll() not in (None, 0), line)
    assert program.interrupt() in (0, 130), program.errors
    assert program.printed.strip(), program.errors
    assert "Traceback" not in program.errors


def starts_the_deployment(snippets: Snippets, line: str) -> None:
    """`up` keeps running for all later lines; it has started when it has published tracks."""
    if snippets.up is not None:
        only_parses(snippets, line)  # the second one is for an engine that takes minutes to build
        return
    program = snippets.start(f"{line.split('#')[0]} --port {snippets.port}")
    snippets.up = program.process
    program.wait_for("follow them with: posebus top")
    client = connect(snippets.url)
    wait_until(lambda: client.exists(Topology(1).tracks("door")), lambda: f"tracks; {program.errors}")


def reads_streams(snippets: Snippets, line: str) -> None:
    """redis-cli, whose output holds the public JSON. BLOCK waits for an event, so one is published."""
    if shutil.which("redis-cli") is None:
        missing("redis-cli is not installed (on Debian: apt install redis-server)")
    client, event = connect(snippets.url), dump(event_to_json(samples.event()))
    program = snippets.start(line)
    wait_until(
        lambda: program.process.poll() is not None,
        line,
        meanwhile=lambda: client.xadd(Topology(1).events(0), {"data": event}),
        poll_s=0.1,
    )
    (data,) = (text for text in program.printed.splitlines() if text.startswith("{"))
    message = parse(data.encode())
    assert event_from_json(message) if "type" in message else track_frame_from_json(message)


def runs_the_jobs(snippets: Snippets, line: str) -> None:
    program = snippets.start(line)
    summary = snippets.folder / "out" / "summary.json"
    wait_until(summary.exists, lambda: f"{line}: {program.printed}{program.errors}")
    assert program.interrupt() == 0
    assert [one["frames"] for one in json.loads(summary.read_text())["inputs"]] == [FRAMES]


def runs_a_stage(snippets: Snippets, line: str) -> None:
    """A stage says when it starts, when it is ready and when it has left."""
    program = snippets.start(line)
    name = " ".join(line.split()[:2])
    program.wait_for(f"{name} starts; the broker is {snippets.url}")
    program.wait_for("reads 2 cameras: door, desk" if name == "posebus ingest" else "ready: ")
    assert program.interrupt() == 0
    if name == "posebus work":
        assert re.search(r"ready: yolo11n-pose with \w+ \w+ on \w+", program.errors)
        # Ctrl-C comes while the network is prepared for its first size, which on a machine that does much else takes
        # longer than a stage may take to leave.
        assert re.search(r"stopped after \d+ frame.*has left|not finished within", program.errors, re.DOTALL)
    else:
        assert f"{name} has left" in program.errors


def exports(snippets: Snippets, line: str) -> None:
    """The address of the snippet is that of the broker of `up` here, which all programs have in their environment."""
    assert shlex.split(line) == ["export", f"POSEBUS_REDIS={snippets.url}"]


def only_parses(snippets: Snippets, line: str) -> None:
    """It takes too long here, or has a test of its own (`posebus demo`): its options and its files exist."""
    from posebus_cli.app import command

    words = shlex.split(line, comments=True)[1:]
    below: Any = command()
    while words and words[0] in getattr(below, "commands", {}):
        below = below.commands[words.pop(0)]
    parsed = below.make_context("posebus", words).params
    files = [value for name in ("calibrate", "more", "config") for value in _several(parsed.get(name))]
    assert all((snippets.folder / file).exists() for file in files), line


def installs(snippets: Snippets, line: str) -> None:
    """pip is not run: the file of versions and the extras exist."""
    import tomllib

    options = shlex.split(line, comments=True)[2:]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert options[:2] == ["-c", "constraints.txt"]
    assert (ROOT / "constraints.txt").exists()
    assert set(re.fullmatch(r"\.\[([a-z0-9,]+)\]", options[2])[1].split(",")) <= set(extras)  # type: ignore[index]


def is_a_target(snippets: Snippets, line: str) -> None:
    """`make demo` and `make test` are the tests of the demo and this one."""
    done = subprocess.run(["make", "-n", line.split()[1]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def needs_docker(snippets: Snippets, line: str) -> None:
    """The images have a test of their own (CONTRIBUTING.md); the files exist, and the services that are named."""
    words = shlex.split(line, comments=True)
    if words[0] == "python3":
        assert (ROOT / words[1]).exists()
        return
    text = (ROOT / "docker-compose.yml").read_text()
    services = yaml.safe_load(text)["services"]
    if "=" in words[0]:
        variable, _, target = words.pop(0).partition("=")
        assert f"${{{variable}" in text
        assert f" AS {target}\n" in (ROOT / "Dockerfile").read_text()
    named = {word.split("=")[0] for word in words if "=" in word}
    named |= {words[words.index("--rm") + 1]} if "--rm" in words else set()
    assert named <= set(services)


CLASSES: tuple[tuple[str, Callable[[Snippets, str], None]], ...] = (
    (r"make \w+$", is_a_target),
    (r"pip install ", installs),
    (r"posebus demo$", only_parses),
    (r"posebus (run|up|snapshot) (usb:|rtsp:|synthetic:)", only_parses),
    (r"posebus engines build ", only_parses),
    (r"posebus rules draw \S+$", only_parses),  # the next line draws as well
    (r"posebus run .*--camera ", only_parses),  # a test of its own compares its events with those of the rules
    (r"posebus rules ", ends_well),
    (r"posebus image .*--masks ", needs_a_download),
    (r"posebus (run|draw|image|snapshot|config check|submit|camera|scale) ", ends_well),
    (r"posebus top$", ends_well),  # without a terminal it prints its table once
    (r"rq info ", ends_well),
    (r"posebus up ", starts_the_deployment),
    (r"posebus (watch|metrics|wall)$", keeps_running),
    (r"posebus jobs work$", runs_the_jobs),
    (r"posebus (ingest|work|track) ", runs_a_stage),
    (r"redis-cli ", reads_streams),
    (r"export POSEBUS_REDIS=", exports),
    (r"(WORKER_TARGET=\S+ )?docker compose |python3 deploy/make_secrets\.py$", needs_docker),
)


def run_of(line: str) -> Callable[[Snippets, str], None]:
    """Return how a line is run."""
    command = line.split("  #")[0].strip()
    found = [run for pattern, run in CLASSES if re.match(pattern, command)]
    assert found, f"README has a line of no class, so no test runs it: {line}"
    return found[0]


def _several(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


# ---- the tests ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def snippets(shared_data: Path, engine_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snippets]:
    folder = tmp_path_factory.mktemp("readme")
    clip = head(shared_data / "TUD-Stadtmitte.mp4", FRAMES, folder / "lobby.mp4")
    for name in ("yard.mp4", "door.mp4"):
        shutil.copy(clip, folder / name)
    shutil.copy(photograph("zidane.jpg"), folder / "street.jpg")
    found = Snippets(folder, engine_cache, free_port())
    try:
        yield found
        if found.up is not None:
            found.up.send_signal(signal.SIGINT)
            assert found.up.wait(timeout=END_S) == 0
    finally:
        found.stop()


def test_every_line_has_a_class_and_every_block_a_language() -> None:
    found = blocks()
    assert len(found) > 12
    assert {block.language for block in found} == {"sh", "yaml", "python"}
    for block in found:
        if block.language == "sh":
            for line in shell_lines(block.text):
                run_of(line)


@pytest.mark.timeout(2400)  # dozens of commands and a deployment
def test_snippets_run_in_their_order(snippets: Snippets) -> None:
    for block in blocks():
        text = snippets.replaced(block.text)
        if block.language == "yaml" and "cameras:" in text:
            named = re.match(r"# (\w+\.yaml)\n", text)
            (snippets.folder / (named[1] if named else "posebus.yaml")).write_text(text)
        elif block.language == "python":
            program = snippets.folder / f"program_{block.line}.py"
            program.write_text(text)
            run = keeps_running_python if "subscribe" in text else ends_well_python
            run(snippets, program)
        elif block.language == "sh":
            for line in shell_lines(text):
                run_of(line)(snippets, line)
    assert (snippets.folder / "posebus-out" / "lobby.annotated.mp4").exists()
    assert list(snippets.folder.glob("posebus-out-*/street.annotated.png"))


def ends_well_python(snippets: Snippets, program: Path) -> None:
    ends_well(snippets, f"python {program}")


def keeps_running_python(snippets: Snippets, program: Path) -> None:
    """A subscriber prints tracks of its camera; Ctrl-C ends it as it ends every Python program."""
    running = snippets.start(f"python -u {program}")
    wait_until(lambda: running.printed.strip() or running.process.poll() is not None, lambda: running.errors)
    assert running.printed.startswith("door "), running.errors
    running.interrupt()


def test_settings_in_yaml_are_valid(tmp_path: Path) -> None:
    """A block without cameras holds settings of `worker`, as README says."""
    found = [block for block in blocks() if block.language == "yaml"]
    assert len(found) >= 2
    for block in found:
        path = tmp_path / f"{block.line}.yaml"
        text = (
            block.text
            if re.search(r"^(cameras|defaults|sinks):", block.text, re.M)
            else "worker:\n" + textwrap.indent(block.text, "  ")
        )
        path.write_text(text)
        assert check_settings(path, {}, {}).problems == (), block.text
