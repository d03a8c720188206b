"""The settings of a command from its options, and questions about them that several commands share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from posebus_cli.options.grouping import overrides
from posebus_cli.options.groups import DeploymentOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from posebus.config.settings import Settings


def settings_from(
    deployment: DeploymentOptions, *groups: object, earlier: Mapping[str, object] | None = None
) -> Settings:
    """Return the settings of this call: the configuration file, over it the environment, over that the options.

    `earlier` are fields of an earlier run, with dots: they stand between the environment and the options.
    Raises ConfigError with every problem.
    """
    from posebus.config.loading import load_settings

    return load_settings(deployment.config, os.environ, _over(earlier or {}, overrides(deployment, *groups)))


def _over(earlier: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    return {**earlier, **{name: value for name, value in given.items() if value is not None}}


def broker_address(settings: Settings) -> str:
    """Return the broker of commands that start none: the one in the settings, or the embedded one of `posebus up`."""
    from posebus.config.broker_address import running_broker

    return running_broker(settings.redis)


def settings_at_broker(deployment: DeploymentOptions, *groups: object) -> Settings:
    """Return the settings of a command that starts no broker; `redis` is the address of one. Raises ConfigError."""
    settings = settings_from(deployment, *groups)
    return settings.model_copy(update={"redis": broker_address(settings)})


def need_cameras(settings: Settings) -> None:
    """Raise ConfigError if no camera is configured."""
    from posebus.errors import ConfigError

    if not settings.cameras:
        raise ConfigError("no camera is configured: add some under 'cameras:' in a file and give it with -c FILE")
