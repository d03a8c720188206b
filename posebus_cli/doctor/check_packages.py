"""Checks of `doctor` about Python packages: versions, extras, libraries that do not load, names owned by others."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata, util
from pathlib import Path

from posebus_cli.doctor.findings import BROKEN, FINE, NOTE, Finding

OWN_PACKAGES = ("posebus", "ingest", "workers", "tracking", "recordings")
PURPOSES = {
    "cli": "the command",
    "embedded": "a broker that needs no installation",
    "ingest": "reading cameras and files",
    "worker": "inference",
    "int8": "building 8-bit engines",
    "tracking": "identities",
    "jobs": "recordings as RQ jobs",
}
LIBRARIES = {
    "cv2": "apt install libgl1 libglib2.0-0 libxcb1, or the like on your system",
    "av": "pip install --force-reinstall av",
    "simplejpeg": "pip install --force-reinstall simplejpeg",
    "openvino": "pip install --force-reinstall openvino",
    "onnxruntime": "pip install --force-reinstall onnxruntime",
    "torch": "pip install --force-reinstall torch torchvision",
    "torchvision": "install torch and torchvision from the same place, in versions made for each other",
}
"""Modules with compiled parts that may be installed and yet not load, and what helps."""

_REQUIREMENT = re.compile(
    r"^([A-Za-z0-9._-]+)\s*(?:\(?[^;]*?>=\s*([0-9.]+))?[^;]*;.*extra\s*==\s*['\"]([a-z0-9]+)['\"]"
)


def python() -> Finding:
    """Version of Python and of posebus itself."""
    text = f"posebus {metadata.version('posebus')} on Python {platform.python_version()}, {platform.machine()}"
    return Finding("posebus", FINE, f"{text}, {platform.system()}")


def extras() -> Iterator[Finding]:
    """One finding an extra: its packages with their versions, or which of them are missing or too old."""
    needs = _needs(metadata.requires("posebus") or [])
    for extra, purpose in PURPOSES.items():
        installed, missing = [], []
        for name, least in needs.get(extra, {}).items():
            version = _version(name)
            if version is None:
                missing.append(name)
            elif least and _numbers(version) < _numbers(least):
                missing.append(f"{name} {least} or newer (here is {version})")
            else:
                installed.append(f"{name} {version}")
        if missing:
            advice = f"for {purpose}: pip install 'posebus[{extra}]'"
            yield Finding(f"extra {extra}", NOTE, f"missing: {', '.join(missing)}", advice)
        else:
            yield Finding(f"extra {extra}", FINE, ", ".join(installed))


def libraries() -> Iterator[Finding]:
    """A finding for each library that is installed but does not load; nothing for the others."""
    for module, advice in LIBRARIES.items():
        if util.find_spec(module) is None:
            continue
        try:
            importlib.import_module(module)
        except (ImportError, OSError, RuntimeError) as error:
            yield Finding(module, BROKEN, f"is installed but does not load: {' '.join(str(error).split())}", advice)


def names() -> Finding:
    """Whether another distribution owns one of our generic top-level names, or another folder hides ours."""
    clashes = [f"{name} also belongs to {', '.join(owners)}" for name, owners in _foreign_owners().items()]
    clashes += [f"{name} is loaded from {folder}" for name, folder in _hidden_by().items()]
    if not clashes:
        return Finding("names", FINE, f"{', '.join(OWN_PACKAGES)} are posebus's own")
    advice = "uninstall the other distribution, or give posebus an environment of its own"
    return Finding("names", BROKEN, "; ".join(clashes), advice)


def _foreign_owners() -> Mapping[str, Sequence[str]]:
    owners = metadata.packages_distributions()
    others = {name: sorted({owner for owner in owners.get(name, ()) if owner != "posebus"}) for name in OWN_PACKAGES}
    return {name: found for name, found in others.items() if found}


def _hidden_by() -> Mapping[str, Path]:
    """Packages that an import finds somewhere else than beside the running posebus."""
    home = Path(sys.modules["posebus"].__path__[0]).resolve().parent
    hidden = {}
    for name in OWN_PACKAGES:
        spec = util.find_spec(name)
        folder = Path(spec.origin).resolve().parent if spec is not None and spec.origin else None
        if folder is not None and folder.parent != home:
            hidden[name] = folder
    return hidden


def _needs(requirements: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Distribution names and least versions by extra, from the metadata's Requires-Dist lines."""
    needs: dict[str, dict[str, str | None]] = {}
    for line in requirements:
        match = _REQUIREMENT.match(line)
        if match is not None and match[1] != "posebus":
            needs.setdefault(match[3], {})[match[1]] = match[2]
    return needs


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0])[:3])
