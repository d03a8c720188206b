"""The arguments of `posebus up`: sources that become cameras, or a configuration file in the place of `-c`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posebus_cli.options.groups import DeploymentOptions

YAML = (".yaml", ".yml")


def file_among(sources: Sequence[str], deployment: DeploymentOptions) -> tuple[DeploymentOptions, list[str]]:
    """Return the options, with the one configuration file that may be among `sources` as `-c`, and the other sources.

    Raises ConfigError for a second file, and for one that is not there.
    """
    from posebus.errors import ConfigError

    files = [source for source in sources if source.lower().endswith(YAML) and "://" not in source]
    if not files:
        return deployment, list(sources)
    if deployment.config is not None or len(files) > 1:
        others = [str(deployment.config)] if deployment.config is not None else []
        named = " and ".join([*others, *files])
        raise ConfigError(f"{named} are several configuration files: give one of them, and sources beside it")
    path = Path(files[0])
    if not path.is_file():
        raise ConfigError(f"there is no configuration file {path}; check the path")
    return replace(deployment, config=path), [source for source in sources if source != files[0]]


def cameras_of(sources: Sequence[str], used: Collection[str]) -> dict[str, dict[str, object]]:
    """Return the fields of a camera for each source, by a name derived from the source that is not among `used`.

    Recordings are played at the speed at which they were recorded. Raises what `ingest.sources.source_spec` raises.
    """
    from posebus.config.local_files import same_for_children
    from recordings.inputs import camera_names
    from recordings.live.naming import source_name
    from recordings.live.sources import is_recording

    names = camera_names([source_name(source) for source in sources], used=used)
    return {
        name: {"source": same_for_children(source), **({"realtime": True} if is_recording(source) else {})}
        for name, source in zip(names, sources, strict=True)
    }
