"""An earlier run as its summary.json names it, so that it can be repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posebus.config.cameras.camera_settings import CameraOptions
from posebus.contract.foreign_json import WRONG_DATA, load_object
from posebus.errors import ConfigError, MalformedMessage
from recordings.inputs.part import WHOLE, Part, part_of
from recordings.inputs.recording import scene_of

MAX_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What an earlier run analysed, and with what.

    sources: absolute paths. settings: the fields of the settings that decide about tracks, with dots. options: those of
    the run by the names in `RunRequest`. model_sha256, versions: of what made the results. sizes_bytes: of the sources,
    where they are known. part: of each recording. camera: settings of the camera that made the recordings.
    """

    path: Path
    sources: tuple[str, ...]
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    model_sha256: str | None
    versions: Mapping[str, str]
    sizes_bytes: Mapping[str, int]
    part: Part = WHOLE
    camera: CameraOptions | None = None

    def differences(self, facts: Mapping[str, Any]) -> Iterator[str]:
        """Yield a sentence for everything by which a run with `facts` may give other results. Raises no error."""
        model = (facts.get("model") or {}).get("sha256")
        if None not in (model, self.model_sha256) and model != self.model_sha256:
            yield f"the weights are not those of {self.path}: their SHA-256 is {model}, not {self.model_sha256}"
        now = facts["versions"]
        other = [
            f"{name} {now.get(name, 'is missing')} instead of {version}"
            for name, version in self.versions.items()
            if now.get(name) != version
        ]
        if other:
            yield f"other versions than in {self.path}: {', '.join(other)}"
        for source, size_bytes in self.sizes_bytes.items():
            found = size_of(source)
            if found is not None and found != size_bytes:
                yield f"{source} has {found} bytes and had {size_bytes} in the run of {self.path}"


def size_of(source: str) -> int | None:
    """Return the size of a file in bytes, None for what is no file or cannot be read."""
    try:
        path = Path(source)
        return path.stat().st_size if path.is_file() else None
    except (OSError, ValueError):
        return None


def read_earlier_run(path: Path) -> EarlierRun:
    """Return the run whose summary is `path`, or summary.json in the folder `path`. Raises ConfigError."""
    path = path / "summary.json" if path.is_dir() else path
    try:
        summary = load_object(path.read_bytes(), str(path), MAX_BYTES)
        return _run(path, summary)
    except OSError as error:
        raise ConfigError(
            f"--from: {path} cannot be read ({error.strerror or error}): give the summary.json of a run, or its folder"
        ) from None
    except MalformedMessage:
        raise ConfigError(f"--from: {path} is not JSON: give the summary.json of a run, or its folder") from None
    except WRONG_DATA:
        raise ConfigError(
            f"--from: {path} is no summary of a run that can be repeated: it lacks fields that `posebus run` writes"
        ) from None


def _run(path: Path, summary: Mapping[str, Any]) -> EarlierRun:
    if summary["settings"] is None:
        raise ConfigError(
            f"--from: {path} is of a run with the workers of a running deployment, whose settings it does not know"
        )
    settings = {
        **{f"worker.{name}": value for name, value in summary["settings"]["worker"].items()},
        **{f"tracker.{name}": value for name, value in summary["settings"]["tracker"].items()},
        "fleet.workers": summary["settings"]["workers"],
    }
    sources = [entry["source"] for entry in summary["inputs"]]
    sizes = {one["path"]: one["size_bytes"] for one in sources if one["size_bytes"] is not None}
    return EarlierRun(
        path=path,
        sources=tuple(str(source) for source in summary["run"]["sources"]),
        settings=settings,
        options=dict(summary["run"]["options"]),
        model_sha256=summary["model"]["sha256"],
        versions=dict(summary["versions"]),
        sizes_bytes=sizes,
        part=part_of(summary.get("part")),
        camera=scene_of(summary.get("camera")),
    )
