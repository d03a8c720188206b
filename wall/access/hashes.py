"""Hashes of passwords and tokens, as they stand in the configuration. Pure, but for random salts and tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata

COST, BLOCK, PARALLEL = 2**15, 8, 3
"""scrypt's N, r and p: 32 MB, and a quarter of a second, as OWASP's sheet about storing passwords asks for."""
SALT_BYTES, KEY_BYTES = 16, 32
MOST_MEMORY = 256 * 1024 * 1024
"""Of a hash in the configuration, which may have been made elsewhere with other parameters."""
TOKEN_BYTES = 32
NOBODY = f"scrypt:{COST}:{BLOCK}:{PARALLEL}:{'A' * 22}:{'A' * 43}"
"""The hash against which the password of an unknown name is checked, so that its answer takes as long as any other."""


def hash_of_password(password: str) -> str:
    """Return the hash of a password with a new salt: scrypt (RFC 7914), its parameters, salt and key in one text."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = _scrypt(password, salt, (COST, BLOCK, PARALLEL), KEY_BYTES)
    return f"scrypt:{COST}:{BLOCK}:{PARALLEL}:{_text(salt)}:{_text(key)}"


def is_password(password: str, hashed: str) -> bool:
    """Return whether `hashed` is of `password`; it takes as long for a wrong password as for the right one.

    False for a hash whose parameters scrypt refuses.
    """
    _, cost, block, parallel, salt, key = hashed.split(":")
    try:
        expected = _bytes(key)
        found = _scrypt(password, _bytes(salt), (int(cost), int(block), int(parallel)), len(expected))
    except (ValueError, MemoryError):
        return False
    return hmac.compare_digest(found, expected)


def new_token() -> str:
    """Return a random token of 256 bits, as text."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of_token(token: str) -> str:
    """Return the hash of a token. SHA-256 alone is enough: 256 random bits cannot be guessed."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int], length: int) -> bytes:
    # Keyboards write one letter in several ways, as é or as e with an accent: both are the same password (RFC 8265).
    text = unicodedata.normalize("NFC", password).encode()
    n, r, p = cost
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=MOST_MEMORY, dklen=length)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
