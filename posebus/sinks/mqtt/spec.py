"""The kind of sink `mqtt`, and its options."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator

from posebus.config.environment import PREFIX as OWN_VARIABLES
from posebus.config.redaction import redact_url
from posebus.config.worker_settings import Strict
from posebus.errors import ConfigError
from posebus.sinks.base import Sender, SinkContext, SinkSpec
from posebus.sinks.options import read_options

PORTS = {"mqtt": 1883, "mqtts": 8883}
_PREFIX = re.compile(r"[^\s/#+$][^\s#+]{0,99}")


class MqttOptions(Strict):
    """The options of the sink `mqtt`."""

    url: str = Field(description="the MQTT broker: mqtt://host:1883, or mqtts:// with TLS")
    username: str | None = Field(default=None, description="User at the MQTT broker")
    password: str | None = Field(default=None, description="Its password")
    password_env: str | None = Field(default=None, description="Name of the environment variable with the password")
    prefix: str = Field(default="posebus", description="Beginning of all topics")
    client_id: str | None = Field(default=None, description="null: posebus and the name of the sink")
    topics: Literal["posebus", "onvif", "onvif-mj"] = Field(
        default="posebus",
        description="onvif: events with a name in ONVIF Profile M have topics and JSON of ONVIF (onvif-ej); onvif-mj: "
        "the same below onvif-mj",
    )
    discovery: str | None = Field(
        default="homeassistant",
        description="Where Home Assistant looks for devices; null: none are announced",
    )
    ca_file: Path | None = Field(default=None, description="Certificates (PEM) to trust instead of the usual ones")
    keepalive_s: int = Field(default=30, ge=5, le=3600, description="A connection that is dead is noticed so fast")
    timeout_s: float = Field(default=20.0, gt=0, le=600, description="Time in which the broker has to acknowledge")
    lanes: int = Field(default=8, ge=1, le=50, description="Events at once; those about one track follow each other")

    @field_validator("prefix", "discovery")
    @classmethod
    def _check_prefix(cls, value: str | None) -> str | None:
        if value is not None and (not _PREFIX.fullmatch(value) or value.endswith("/") or "//" in value):
            raise ValueError("a topic has no blanks, # or +, and neither begins nor ends with /")
        return value


@dataclass(frozen=True, slots=True)
class MqttAddress:
    """Where the MQTT broker is, and the login. `where` is for messages."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None
    where: str


def address_of(options: MqttOptions) -> MqttAddress:
    """The address in the options. Raises ConfigError, without credentials."""
    try:
        parts = urlsplit(options.url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in {"", "/"} or port == 0:
        raise ConfigError(
            "the option url of the sink mqtt is wrong: it must be like mqtt://localhost:1883, or mqtts:// for TLS"
        )
    password = options.password
    if options.password_env is not None:
        password = os.environ.get(options.password_env)
        if options.password_env.startswith(OWN_VARIABLES) or not password:
            raise ConfigError(
                f"the environment has no variable {options.password_env}, which the option password_env of the sink "
                f"mqtt names; names that begin with {OWN_VARIABLES} are settings of posebus"
            )
    return MqttAddress(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        username=options.username or (unquote(parts.username) if parts.username else None),
        password=password or (unquote(parts.password) if parts.password else None),
        where=redact_url(options.url),
    )


def read_mqtt(options: Mapping[str, Any]) -> tuple[MqttOptions, MqttAddress]:
    """The options, and the address in them. Raises ConfigError for wrong ones."""
    chosen = read_options(MqttOptions, options, "mqtt")
    return chosen, address_of(chosen)


def open_mqtt(options: Mapping[str, Any], context: SinkContext) -> Sender:
    """Open the sink. Raises ConfigError for wrong options; the MQTT broker is reached by a thread of its own."""
    chosen, address = read_mqtt(options)
    from posebus.sinks.mqtt.sender import MqttSender

    return MqttSender(chosen, address, context)


def _needs_context(options: Mapping[str, Any]) -> Sender:
    raise ConfigError("the sink mqtt has to know where it runs")


SPEC = SinkSpec("mqtt", _needs_context, ("events",), open_mqtt, read_mqtt)
