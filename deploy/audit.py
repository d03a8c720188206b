"""Look up known vulnerabilities of the exact versions in constraints.txt: `make audit`.

Exits with 0 if all packages were looked up and none has a known vulnerability, 1 if one has, and 3 if some could not be
looked up, because the database (PyPI's, else OSV's) cannot be reached: then nothing is known about them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3
SERVICES = ("pypi", "osv")
CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"


def main() -> None:
    packages: list[dict[str, Any]] = []
    for service in SERVICES:
        packages = look_up(service)
        if packages and not any("skip_reason" in package for package in packages):
            break
    code, text = verdict(packages)
    sys.stdout.write(f"audit: {text}\n")
    sys.exit(code)


def look_up(service: str) -> list[dict[str, Any]]:
    """The findings of pip-audit for each package; empty if it failed."""
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "10", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", "-r", str(CONSTRAINTS), "-s", service, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return []
    return found


def verdict(packages: list[dict[str, Any]]) -> tuple[int, str]:
    """Return the exit code and a sentence. pip-audit itself reports success even if it could look up nothing."""
    affected = [
        f"{package['name']} {package.get('version', '')}: {flaw['id']}, mended in {flaw['fix_versions']}"
        for package in packages
        for flaw in package.get("vulns", [])
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if affected:
        return VULNERABLE, "\n  ".join(["known vulnerabilities:", *affected])
    if skipped or not packages:
        which = f"{len(skipped)} of {len(packages)} packages" if packages else "the packages"
        return (
            NOT_AUDITED,
            f"not audited: {which} could not be looked up; is https://pypi.org/pypi or api.osv.dev reachable?",
        )
    return CLEAN, f"no known vulnerability in {len(packages)} packages"


if __name__ == "__main__":
    main()
