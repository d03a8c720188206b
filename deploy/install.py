"""Install packages into this virtual environment with uv, which takes an eighth of pip's time, or else with pip.

`python deploy/install.py ARGUMENTS...` takes the arguments of `pip install`. uv does not read pip's configuration, so
this script passes on its indexes, links, constraints and certificate. Where uv is missing or fails, pip does the work.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

SECTIONS = ("global", "install", ":env:")
"""Sections of pip's configuration that apply to `pip install`; a later one overrides an earlier one."""
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
"""Settings of pip, and the environment variables of uv with the same meaning. Unlike options, variables are not visible
in the list of processes, which matters because the address of an index may contain a password."""
SEPARATORS = {"find-links": ","}
"""Separator of several values of one variable; in the others uv separates values by a space, as pip does."""

TRUE = ("1", "y", "yes", "t", "true", "on")


def main() -> int:
    arguments = sys.argv[1:]
    if importlib.util.find_spec("uv"):
        settings = pip_settings(_output([sys.executable, "-m", "pip", "config", "list"]))
        command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]
        environment = {**uv_environment(settings), **os.environ}
        if subprocess.run([*command, *uv_options(settings), *arguments], env=environment, check=False).returncode == 0:
            return 0
        sys.stderr.write("uv could not install this; pip tries it now.\n")
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=False).returncode


def pip_settings(listing: str) -> dict[str, str]:
    """Return the settings for `pip install` from the output of `pip config list`, by their long option."""
    sections: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in sections:
            sections[section][option] = str(ast.literal_eval(value))
    return {option: value for section in SECTIONS for option, value in sections[section].items()}


def uv_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables that make uv use the indexes and links of pip."""
    found = {
        VARIABLES[option]: SEPARATORS.get(option, " ").join(value.split())
        for option, value in settings.items()
        if option in VARIABLES
    }
    # pip takes the best release of all indexes; uv by default asks only the first one that has the package.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **found}


def uv_options(settings: Mapping[str, str]) -> list[str]:
    """Return options of uv for settings without a variable, or whose variable an option would override."""
    options = [word for path in settings.get("constraint", "").split() for word in ("--constraint", path)]
    return [*options, "--no-index"] if settings.get("no-index", "").lower() in TRUE else options


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
