"""The checks of Python packages: versions, extras, libraries that fail to load, clashes of names."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata, util
from pathlib import Path

from posebus_cli.doctor.findings import BROKEN, FINE, NOTE, Finding

OWN_PACKAGES = ("posebus", "ingest", "workers", "tracking", "recordings", "evidence", "wall", "posebus_cli")
PURPOSES = {
    "cli": "the command",
    "embedded": "the embedded broker",
    "ingest": "reading cameras and files",
    "worker": "inference",
    "int8": "building 8-bit engines",
    "tracking": "identities",
    "jobs": "recordings as jobs in a queue",
    "tables": "Parquet files of tracks",
}
LIBRARIES = {
    "cv2": "apt install libgl1 libglib2.0-0 libxcb1, or the same libraries by the names of your system",
    "av": "pip install --force-reinstall av",
    "simplejpeg": "pip install --force-reinstall simplejpeg",
    "openvino": "pip install --force-reinstall openvino",
    "onnxruntime": "pip install --force-reinstall onnxruntime",
    "torch": "pip install --force-reinstall torch torchvision",
    "torchvision": "install matching versions of torch and torchvision from the same source",
}
"""Modules with compiled parts, which may be installed and still fail to load, and what to do then."""

_REQUIREMENT = re.compile(
    r"^([A-Za-z0-9._-]+)\s*(?:\(?[^;]*?>=\s*([0-9.]+))?[^;]*;.*extra\s*==\s*['\"]([a-z0-9]+)['\"]"
)


def python() -> Finding:
    """Report the versions of Python and posebus, and the system."""
    text = f"posebus {metadata.version('posebus')} on Python {platform.python_version()}, {platform.machine()}"
    return Finding("posebus", FINE, f"{text}, {platform.system()}")


def extras() -> Iterator[Finding]:
    """Check each extra: its packages with their versions, or which of them are missing or too old."""
    needs = _needs(metadata.requires("posebus") or [])
    for extra, purpose in PURPOSES.items():
        installed, missing = [], []
        for name, least in needs.get(extra, {}).items():
            version = _version(name)
            if version is None:
                missing.append(name)
            elif least and _numbers(version) < _numbers(least):
                missing.append(f"{name} {least} or newer (installed: {version})")
            else:
                installed.append(f"{name} {version}")
        if missing:
            advice = f"for {purpose}: pip install '.[{extra}]' in the checkout of posebus"
            yield Finding(f"extra {extra}", NOTE, f"missing: {', '.join(missing)}", advice)
        else:
            yield Finding(f"extra {extra}", FINE, ", ".join(installed))


def libraries() -> Iterator[Finding]:
    """Check that the installed libraries load; only those that fail give a finding."""
    for module, advice in LIBRARIES.items():
        if util.find_spec(module) is None:
            continue
        try:
            importlib.import_module(module)
        except (ImportError, OSError, RuntimeError) as error:
            yield Finding(module, BROKEN, f"is installed but does not load: {' '.join(str(error).split())}", advice)


def names() -> Finding:
    """Check that no other distribution has one of our top-level names, and no other folder hides our packages."""
    clashes = [f"{name} also belongs to {', '.join(owners)}" for name, owners in _foreign_owners().items()]
    clashes += [f"{name} is loaded from {folder}" for name, folder in _hidden_by().items()]
    if not clashes:
        return Finding("names", FINE, f"no other distribution has the names {', '.join(OWN_PACKAGES)}")
    advice = "uninstall the other distribution, or give posebus an environment of its own"
    return Finding("names", BROKEN, "; ".join(clashes), advice)


def _foreign_owners() -> Mapping[str, Sequence[str]]:
    owners = metadata.packages_distributions()
    others = {name: sorted({owner for owner in owners.get(name, ()) if owner != "posebus"}) for name in OWN_PACKAGES}
    return {name: found for name, found in others.items() if found}


def _hidden_by() -> Mapping[str, Path]:
    """Return our packages that an import finds in another folder than that of the running posebus."""
    home = Path(sys.modules["posebus"].__path__[0]).resolve().parent
    hidden = {}
    for name in OWN_PACKAGES:
        spec = util.find_spec(name)
        folder = Path(spec.origin).resolve().parent if spec is not None and spec.origin else None
        if folder is not None and folder.parent != home:
            hidden[name] = folder
    return hidden


def _needs(requirements: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Return distribution names and least versions by extra, from the Requires-Dist lines of the metadata."""
    needs: dict[str, dict[str, str | None]] = {}
    for line in requirements:
        match = _REQUIREMENT.match(line)
        if match is not None and match[1] != "posebus" and _applies(line):
            needs.setdefault(match[3], {})[match[1]] = match[2]
    return needs


def _applies(line: str) -> bool:
    """Whether a requirement holds for this Python; `python_version <` is the only such condition that posebus has."""
    before = re.search(r"python_version\s*<\s*['\"]([0-9.]+)['\"]", line)
    return before is None or sys.version_info[:2] < _numbers(before[1])


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0])[:3])
