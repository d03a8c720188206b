"""Signatures of webhooks: HMAC-SHA256 by the scheme of Standard Webhooks 1.0 (standardwebhooks.com). Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES = 16, 128


def secret_bytes(secret: str) -> bytes:
    """The key in a secret: base64, with or without `whsec_` before it. Raises ValueError, without the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(
            f"a secret is {FEWEST_BYTES} to {MOST_BYTES} random bytes in base64, with {PREFIX} before it; "
            "make one with: echo whsec_$(openssl rand -base64 32)"
        )
    return key


def signature(keys: Sequence[bytes], webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each key, so that keys can be changed one after the other."""
    signed = b".".join((webhook_id.encode(), str(timestamp_s).encode(), body))
    found = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in found)
