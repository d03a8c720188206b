"""The settings of a command from its options, and questions about them that several commands share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from posebus_cli.options.grouping import overrides
from posebus_cli.options.groups import DeploymentOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from posebus.config.settings import CameraSettings, Settings
    from posebus.reloading.followed import FollowedSettings


def settings_from(
    deployment: DeploymentOptions, *groups: object, earlier: Mapping[str, object] | None = None
) -> Settings:
    """Return the settings of this call: the configuration file, over it the environment, over that the options.

    `earlier` are fields of an earlier run, with dots: they stand between the environment and the options. Raises
    ConfigError with every problem.
    """
    from posebus.config.loading import load_settings

    given = {name: value for name, value in overrides(deployment, *groups).items() if value is not None}
    return load_settings(deployment.config, os.environ, {**(earlier or {}), **given})


def followed_from(deployment: DeploymentOptions, *groups: object) -> FollowedSettings:
    """Return the settings of this call like `settings_from`, for a command that follows its file while it runs."""
    from posebus.reloading.followed import FollowedSettings

    return FollowedSettings(deployment.config, os.environ, overrides(deployment, *groups))


def broker_address(settings: Settings) -> str:
    """Return the broker of commands that start none: the one in the settings, or the embedded one of `posebus up`."""
    from posebus.config.broker_address import running_broker

    return running_broker(settings.redis)


def followed_at_broker(deployment: DeploymentOptions, *groups: object) -> FollowedSettings:
    """Return the settings of a command that starts no broker; `redis` is the address of one. Raises ConfigError."""
    followed = followed_from(deployment, *groups)
    followed.pin(redis=broker_address(followed.settings))
    return followed


def settings_at_broker(deployment: DeploymentOptions, *groups: object) -> Settings:
    """Return the settings of `followed_at_broker`, for a command that follows no file."""
    return followed_at_broker(deployment, *groups).settings


def camera_of(settings: Settings, name: str) -> CameraSettings:
    """Return the settings of the camera `name` of the configuration file. Raises ConfigError if there is none."""
    from posebus.errors import ConfigError
    from posebus.plain_text import plain
    from posebus.wording import did_you_mean

    if name in settings.cameras:
        return settings.cameras[name]
    if not settings.cameras:
        raise ConfigError("--camera needs a configuration file with cameras: name it with -c FILE")
    hint = did_you_mean(name, settings.cameras) or f"there are: {', '.join(sorted(settings.cameras))}"
    raise ConfigError(f"no camera {plain(name)!r} is in the configuration; {hint}")


def need_cameras(settings: Settings) -> None:
    """Raise ConfigError if no camera is configured."""
    from posebus.errors import ConfigError

    if not settings.cameras:
        raise ConfigError("no camera is configured: add some under 'cameras:' in a file and give it with -c FILE")
