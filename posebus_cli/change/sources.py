"""Whether a source that is written into the configuration can ever be read on this machine."""

from __future__ import annotations

from collections.abc import Mapping

from posebus.installed.extras import has_sources


def refuse_unusable(fields: Mapping[str, object]) -> None:
    """Raise ConfigError if the source among the fields of a camera can never be read, such as one of an unknown kind.

    One that is missing or does not answer may come later. Without the packages of ingest nothing is checked here.
    """
    from posebus.config.settings import CameraSettings
    from posebus.errors import ConfigError, PoseBusError, SourceMissing, SourceUnavailable

    source, kind = fields.get("source"), fields.get("kind")
    if not isinstance(source, str) or not has_sources():
        return
    from ingest.sources import check_source

    try:
        check_source(CameraSettings(source=source, kind=kind if isinstance(kind, str) else "auto"))
    except (SourceMissing, SourceUnavailable, ValueError):
        return  # what is no valid field is said with its name
    except PoseBusError as error:
        raise ConfigError(str(error)) from None
