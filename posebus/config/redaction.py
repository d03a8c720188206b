"""Credentials out of whatever is shown, logged or published: addresses, and texts that quote addresses."""

from __future__ import annotations

import re

HIDDEN = "***"

# Up to the last @ of a word, since people paste passwords that hold / and @ themselves.
_LOGIN = re.compile(r"://[^\s\"'<>]*@")
# Cameras take passwords as parameters, too, and some of them in the path: /user=admin&password=x&channel=1.
_PARAMETER = re.compile(
    r"(?<![A-Za-z])((?:user(?:name)?|login|usr|pass(?:word|wd|phrase)?|pwd|psw|pw|token|secret|auth|api_?key|key)=)[^&;\s\"'<>/#]+",
    re.IGNORECASE,
)


def redact_text(text: str) -> str:
    """`text` with the user and password of every address in it hidden."""
    return _PARAMETER.sub(rf"\1{HIDDEN}", _LOGIN.sub(f"://{HIDDEN}@", text))


def redact_url(address: str) -> str:
    """`address` without user and password, fit to be logged or shown; what is no URL comes back unchanged.

    A space does not end a password here: there is nothing but the address.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return redact_text(address)
    login, at, place = rest.rpartition("@")
    # An @ in the path of an address without a login looks the same. Better a host too few than a password too many.
    return redact_text(f"{scheme}://{HIDDEN if login else ''}{at}{place}")
