"""The units of deploy/systemd: against the commands that they call, and by systemd's own check where that is."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from posebus.config.settings import Settings
from posebus.control.folder import FOLDER_ENV as CONTROL_DIR
from posebus.runtime.health import FOLDER_ENV as HEALTH_DIR
from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
PROGRAM, PYTHON = "/opt/posebus/bin/posebus", "/opt/posebus/bin/python"


class Unit(configparser.RawConfigParser):
    """A unit file, whose keys may come several times: their values are joined by blanks."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None, delimiters=("=",))
        self.optionxform = str  # type: ignore[assignment,method-assign]
        lines: dict[str, str] = {}
        section = ""
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
                self.add_section(section)
            elif "=" in line and not line.startswith("#"):
                name, _, value = line.partition("=")
                before = lines.get(name, "")
                lines[name] = f"{before} {value}".strip()
                self.set(section, name, lines[name])


COMMON = Unit(FOLDER / "posebus-.service.d" / "10-common.conf")


def test_every_stage_has_a_unit() -> None:
    stages = ["deliver", "evidence", "ingest", "metrics", "track@", "up", "work@"]
    assert [f"posebus-{stage}.service" for stage in stages] == SERVICES, "the prefix of the shared drop-in, too"


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "posebus-evidence.service"])
def test_units_call_commands_that_the_program_has(name: str) -> None:
    from typer.main import get_command

    from posebus_cli.app import app

    program, command, *arguments = Unit(FOLDER / name).get("Service", "ExecStart").split()
    assert program == PROGRAM
    assert name.startswith(f"posebus-{command}")
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    unit = Unit(FOLDER / name)["Service"]
    # The endpoint of the metrics reads nothing again, and the signal would end it.
    assert unit.get("ExecReload") == (None if command == "metrics" else "/bin/kill -HUP $MAINPID")
    options = {flag for parameter in commands[command].params for flag in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("-")} <= options


def test_the_evidence_process_is_a_module_with_the_options_of_a_stage() -> None:
    unit = Unit(FOLDER / "posebus-evidence.service")["Service"]
    assert unit["ExecStart"] == f"{PYTHON} -P -m evidence --config /etc/posebus/posebus.yaml"
    assert "ExecReload" not in unit, "it reads nothing again, and the signal would end it"


def test_units_of_sinks_and_snapshots_have_a_place_for_their_files() -> None:
    """Under ProtectSystem=strict, a unit writes into the folders that it names alone."""
    assert COMMON["Service"]["ProtectSystem"] == "strict"
    found = {name: Unit(FOLDER / name)["Service"] for name in SERVICES}
    logs = [name for name, unit in found.items() if unit.get("LogsDirectory") == "posebus"]
    state = [name for name, unit in found.items() if unit.get("StateDirectory") == "posebus"]
    assert logs == ["posebus-deliver.service", "posebus-up.service"]
    assert state == ["posebus-evidence.service", "posebus-up.service"]
    assert "path: /var/log/posebus/" in (ROOT / "docs" / "sinks.md").read_text()


def test_what_all_units_share() -> None:
    service = COMMON["Service"]
    assert service["Restart"] == "on-failure"
    assert service["User"] not in {"", "root"}
    deployment = yaml.safe_load((ROOT / "deploy" / "posebus.yaml").read_text())
    assert float(service["TimeoutStopSec"]) > 2 * Settings.model_validate(deployment).fleet.stop_timeout_s
    assert service["CapabilityBoundingSet"] == ""
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectKernelModules", "RestrictNamespaces", "LockPersonality"):
        assert service[name] == "yes"
    known = {f"POSEBUS_{name.upper()}" for name in Settings.model_fields} | {HEALTH_DIR, CONTROL_DIR}
    assert set(re.findall(r"(POSEBUS_\w+)=", service["Environment"])) <= known


def test_health_and_control_sockets_have_private_folders_outside_the_private_tmp() -> None:
    service = COMMON["Service"]
    variables = dict(one.split("=", 1) for one in service["Environment"].split())
    folders = [f"/run/{name}" for name in service["RuntimeDirectory"].split()]
    assert [variables[HEALTH_DIR], variables[CONTROL_DIR]] == folders
    # The sockets are not used in a folder that other users can look into.
    assert service["RuntimeDirectoryMode"] == "0700"


@pytest.fixture
def analyze(tmp_path: Path) -> Any:
    """`analyze("verify", …)`: systemd-analyze, which finds the units with a program that exists."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    shutil.copytree(FOLDER, tmp_path / "units")
    for name in SERVICES:
        unit = tmp_path / "units" / name
        unit.write_text(unit.read_text().replace(PROGRAM, "/bin/true").replace(PYTHON, "/bin/true"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path / 'units'}:"}
        return subprocess.run(
            [program, *arguments], cwd=tmp_path / "units", env=environ, capture_output=True, text=True, check=False
        )

    return run


def test_systemd_finds_no_mistake(analyze: Any) -> None:
    names = [f"./{name.replace('@', '@1')}" for name in SERVICES]
    done = analyze("verify", "--man=no", *names, "./posebus.target")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_calls_the_exposure_of_each_unit_ok(analyze: Any, name: str) -> None:
    """The shared drop-in reaches the unit: without it, the exposure is 9.6 of 10."""
    done = analyze("security", "--offline=yes", "--no-pager", "--threshold=20", f"./{name.replace('@', '@1')}")
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze has no --offline")
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
