"""deploy/install.py translates pip's configuration for uv."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scripts import load_script

SCRIPT = ROOT / "deploy" / "install.py"
CONFIGURATION = """\
:env:.find-links='/wheels'
download.index-url='https://elsewhere.example/simple'
global.cert='/etc/ca.pem'
global.constraint='/etc/pip/caps.txt'
global.extra-index-url='https://user:secret@one.example/simple\\nhttps://two.example/simple'
global.find-links='/replaced'
global.index-url='https://general.example/simple'
install.index-url='https://install.example/simple'
install.no-index='false'
global.quiet='1'
"""
install = load_script(SCRIPT)


def test_environment_and_install_section_take_precedence() -> None:
    settings = install.pip_settings(CONFIGURATION)
    assert settings["index-url"] == "https://install.example/simple"
    assert settings["find-links"] == "/wheels"


def test_indexes_links_and_certificate_become_variables_of_uv() -> None:
    assert install.uv_environment(install.pip_settings(CONFIGURATION)) == {
        "UV_DEFAULT_INDEX": "https://install.example/simple",
        "UV_FIND_LINKS": "/wheels",
        "UV_INDEX": "https://user:secret@one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }


def test_several_links_are_separated_as_uv_separates_them() -> None:
    assert install.uv_environment({"find-links": "/wheels\n/more"})["UV_FIND_LINKS"] == "/wheels,/more"


def test_every_constraints_file_becomes_an_option() -> None:
    assert install.uv_options({"constraint": "/a.txt /b.txt"}) == ["--constraint", "/a.txt", "--constraint", "/b.txt"]
    assert install.uv_options(install.pip_settings(CONFIGURATION)) == ["--constraint", "/etc/pip/caps.txt"]
    assert install.uv_options(install.pip_settings("")) == []


def test_no_index_is_an_option_where_it_is_set() -> None:
    assert install.uv_options({"no-index": "true"}) == ["--no-index"]


def test_without_configuration_uv_gets_no_settings() -> None:
    assert install.uv_environment(install.pip_settings("")) == {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def test_pip_installs_where_uv_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr("sys.argv", ["install.py", "norfair"])
    assert install.main() == 3
    assert commands == [[sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "norfair"]]


@pytest.mark.parametrize("uv", ["import sys; sys.exit(2)", "raise ImportError"], ids=["fails", "is broken"])
def test_pip_installs_where_uv_fails(uv: str, tmp_path: Path) -> None:
    """A failing uv replaces the real one, and pip is replaced by a script that records its arguments."""
    (tmp_path / "uv.py").write_text(uv)
    (tmp_path / "pip.py").write_text(
        "import sys, pathlib\n"
        "if sys.argv[1] == 'install': pathlib.Path(__file__).with_name('called').write_text(' '.join(sys.argv[1:]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, str(SCRIPT), "-c", "caps.txt", "-e", ".[dev]"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "uv could not install this; pip tries it now." in done.stderr
    assert (tmp_path / "called").read_text() == "install --disable-pip-version-check -c caps.txt -e .[dev]"
