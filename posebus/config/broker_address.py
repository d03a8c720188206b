"""The broker of programs and commands that are given none: that of the deployment that runs on this machine."""

from __future__ import annotations

from collections.abc import Mapping

from posebus.config.settings import EMBEDDED, EMBEDDED_PORT

REDIS_VARIABLE = "POSEBUS_REDIS"
"""The setting `redis` in the environment, which the commands of posebus and subscribers follow alike."""

ADDRESS_OF_UP = f"redis://127.0.0.1:{EMBEDDED_PORT}"
"""Where `posebus up` serves, unless it is given a broker or another port."""


def running_broker(redis: str) -> str:
    """Return the address of the broker that the setting `redis` means to a process that starts none."""
    return ADDRESS_OF_UP if redis == EMBEDDED else redis


def default_address(environ: Mapping[str, str]) -> str:
    """Return the broker of a program that names none: POSEBUS_REDIS in `environ`, else the broker of `posebus up`."""
    return running_broker(environ.get(REDIS_VARIABLE) or EMBEDDED)
