"""A program that names no broker finds the one of the deployment on this machine."""

from __future__ import annotations

import pytest

from posebus.config.broker_address import default_address, running_broker
from posebus.config.settings import EMBEDDED_PORT

UP = f"redis://127.0.0.1:{EMBEDDED_PORT}"


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, UP),
        ({"POSEBUS_REDIS": ""}, UP),
        ({"POSEBUS_REDIS": "embedded"}, UP),
        ({"POSEBUS_REDIS": "redis://broker.lan:6380/2"}, "redis://broker.lan:6380/2"),
    ],
)
def test_default_is_the_environment_then_the_broker_of_up(environment: dict[str, str], address: str) -> None:
    assert default_address(environment) == address


def test_an_address_in_the_settings_is_taken_as_it_is() -> None:
    assert running_broker("unix:///run/broker.sock") == "unix:///run/broker.sock"
