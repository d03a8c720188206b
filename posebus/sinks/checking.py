"""Whether the settings of sinks can be used, before any process runs by them."""

from __future__ import annotations

from collections.abc import Mapping

from posebus.config.sinks import SinkSettings
from posebus.errors import PoseBusError
from posebus.sinks.registry import kinds_of, spec_of


def check_sink(name: str, settings: SinkSettings) -> None:
    """Raise ConfigError, in one sentence, if a sink by these settings could never be opened on this machine.

    Nothing is opened. Options of a sink of another package are known only to it, unless its spec has a `check`.
    """
    kinds_of(name, settings)
    check = spec_of(name, settings).check
    if check is not None:
        check(dict(settings.options))


def usable_sinks(
    running: Mapping[str, SinkSettings], wanted: Mapping[str, SinkSettings]
) -> tuple[dict[str, SinkSettings], list[str]]:
    """Return `wanted` without what cannot be used, and a sentence for each such sink.

    A sink of `running` stays as it is instead; one that is new is left out.
    """
    usable: dict[str, SinkSettings] = {}
    problems: list[str] = []
    for name, settings in wanted.items():
        try:
            if settings != running.get(name):
                check_sink(name, settings)
            usable[name] = settings
        except PoseBusError as error:
            what = "the sink stays as it is" if name in running else "the sink is not started"
            about = "" if str(error).startswith(f"sinks.{name}.") else f"sinks.{name}: "
            problems.append(f"{about}{error}; {what}")
            if name in running:
                usable[name] = running[name]
    return usable, problems
