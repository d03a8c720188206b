"""Hide credentials in addresses, and in texts that quote addresses, before they are shown, logged or published."""

from __future__ import annotations

import re

HIDDEN = "***"

# Up to the last @ of a word, since pasted passwords may contain / and @.
_LOGIN = re.compile(r"://[^\s\"'<>]*@")
# Cameras also take passwords as parameters, some of them in the path: /user=admin&password=x&channel=1.
_PARAMETER = re.compile(
    r"(?<![A-Za-z])((?:user(?:name)?|login|usr|pass(?:word|wd|phrase)?|pwd|psw|pw|token|secret|auth|api_?key|key)=)[^&;\s\"'<>/#]+",
    re.IGNORECASE,
)


def redact_text(text: str) -> str:
    """`text` with the user and password of every address in it hidden."""
    return _PARAMETER.sub(rf"\1{HIDDEN}", _LOGIN.sub(f"://{HIDDEN}@", text))


def redact_url(address: str) -> str:
    """`address` with user and password hidden; a text that is no URL is treated as by `redact_text`.

    Unlike there, a space does not end a password, since the text is nothing but the address.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return redact_text(address)
    login, at, host = rest.rpartition("@")
    # An @ in the path of an address without a login looks the same; hiding its host is better than showing a password.
    return redact_text(f"{scheme}://{HIDDEN if login else ''}{at}{host}")
