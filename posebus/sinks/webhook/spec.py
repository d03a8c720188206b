"""The kind of sink `webhook`, and its options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from posebus.config.environment import PREFIX as OWN_VARIABLES
from posebus.config.worker_settings import Strict
from posebus.errors import ConfigError
from posebus.sinks.base import Sender, SinkSpec
from posebus.sinks.options import read_options
from posebus.sinks.webhook.signature import secret_bytes


class WebhookOptions(Strict):
    """The options of the sink `webhook`."""

    url: str = Field(description="the address that gets each event: http:// or https://")
    secret: str | list[str] | None = Field(
        default=None, description="Secret of the signature, whsec_ and base64; several while it is being changed"
    )
    secret_env: str | None = Field(default=None, description="Name of the environment variable with the secret instead")
    headers: dict[str, str] = Field(default_factory=dict, description="Further headers, such as Authorization")
    timeout_s: float = Field(default=20.0, gt=0, le=600, description="Time in which the receiver has to answer")
    lanes: int = Field(default=8, ge=1, le=100, description="Requests at once; those about one track follow each other")
    give_up_s: float = Field(
        default=86_400.0, gt=0, description="Seconds after the first attempt until an event is kept as undelivered"
    )
    ca_file: Path | None = Field(default=None, description="Certificates (PEM) to trust instead of the usual ones")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or any(character.isspace() for character in value):
            raise ValueError("it must be an address such as https://example.org/hook")
        return value

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not name or not f"{name}{text}".isascii() or not f"{name}{text}".isprintable() or ":" in name:
                raise ValueError("a name or a value has characters that no HTTP header can have")
        return value


def keys_of(options: WebhookOptions) -> list[bytes]:
    """The keys of the signature; none without a secret. Raises ConfigError, without the secret."""
    secrets = [options.secret] if isinstance(options.secret, str) else list(options.secret or ())
    if options.secret_env is not None:
        if secrets:
            raise ConfigError("the sink webhook takes the option secret or secret_env, not both")
        if options.secret_env.startswith(OWN_VARIABLES):
            raise ConfigError(
                f"the option secret_env of the sink webhook names a variable that begins with {OWN_VARIABLES}: those "
                "are settings of posebus, so choose another name"
            )
        found = os.environ.get(options.secret_env, "")
        if not found:
            raise ConfigError(
                f"the environment has no variable {options.secret_env}, which the option secret_env of the sink "
                "webhook names"
            )
        secrets = found.split()
    try:
        return [secret_bytes(secret) for secret in secrets]
    except ValueError as error:
        raise ConfigError(f"the secret of the sink webhook is wrong: {error}") from None


def read_webhook(options: Mapping[str, Any]) -> tuple[WebhookOptions, list[bytes]]:
    """The options, and the keys of the signature. Raises ConfigError for wrong ones."""
    chosen = read_options(WebhookOptions, options, "webhook")
    return chosen, keys_of(chosen)


def open_webhook(options: Mapping[str, Any]) -> Sender:
    """Open the sink. Raises ConfigError for wrong options; the receiver is first reached by the first event."""
    chosen, keys = read_webhook(options)
    from posebus.sinks.webhook.sender import WebhookSender

    return WebhookSender(chosen, keys)


SPEC = SinkSpec("webhook", open_webhook, ("events",), check=read_webhook)
