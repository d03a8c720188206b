"""Why a broker refuses a connection or a command, in words: rights that a user lacks, problems with encryption.

Addresses take redis-py's parameters for TLS: `rediss://host:6380/0?ssl_ca_certs=/path/ca.pem`, and for brokers that
ask for a client certificate `ssl_certfile` and `ssl_keyfile`.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from posebus.config.harmless import is_harmless_part
from posebus.errors import BrokerRefused

TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
PARAMETERS = frozenset({*TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname", "db", "username", "password", "client_name"})
"""Parameters that an address may have. redis-py accepts more, some of which override what posebus relies on."""

SHOWN_KEYS = 3


def check_parameters(url: str) -> None:
    """Raises ValueError with half a sentence for a parameter that is not allowed, or a file that cannot be read."""
    for name, values in parse_qs(urlsplit(url).query).items():
        if name not in PARAMETERS:
            shown = f"the parameter {name!r}" if is_harmless_part(name) else "a parameter"
            raise ValueError(f"it has {shown}; allowed are {', '.join(sorted(PARAMETERS))}")
        if name in TLS_FILES:
            try:
                with Path(values[-1]).open("rb"):
                    pass
            except OSError as error:
                raise ValueError(f"the file of its parameter {name} cannot be read: {error.strerror}") from None


def missing_right(where: str, error: Exception, answer: str) -> BrokerRefused:
    """The error for a command that the broker's ACL does not allow this user; `answer`: the text of the broker."""
    return BrokerRefused(
        f"the broker at {where} does not allow this user {_refused_command(error)} ({answer}); log in as another user, "
        "or give this one the right in the broker's ACL file (deploy/users.acl)"
    )


def tls_problem(error: BaseException) -> str | None:
    """Half a sentence about a lasting problem with an encrypted connection; None for any other error."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"its certificate cannot be verified ({cause.verify_message.rstrip('.')}); name the file of the CA that "
            "signed it in the address (?ssl_ca_certs=FILE), and the broker's host as the certificate does"
        )
    reason = str(getattr(cause, "reason", None) or "")
    if reason == "WRONG_VERSION_NUMBER":
        return "it does not use TLS at this port; use the port that does, or redis:// instead of rediss://"
    if "ALERT" in reason:
        return (
            f"it ends the connection ({reason.lower().replace('_', ' ')}); if it asks for a client certificate, name "
            "the files in the address (?ssl_certfile=FILE&ssl_keyfile=FILE)"
        )
    if reason in {
        "NO_CERTIFICATE_OR_CRL_FOUND",
        "NO_START_LINE",
        "PEM_LIB",
        "BAD_BASE64_DECODE",
        "KEY_VALUES_MISMATCH",
    }:
        return "a file that the address names holds no certificate or key that fits; check its ssl_… parameters"
    return None


def _refused_command(error: Exception) -> str:
    """The command and its keys. The broker's answer does not name keys, so they are read from redis-py's stack."""
    arguments: tuple[object, ...] = ()
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name in {"execute_command", "immediate_execute_command"}:
            arguments = trace.tb_frame.f_locals.get("args") or arguments
        trace = trace.tb_next
    if not arguments and (pipelined := re.match(r"Command # \d+ \((\S+) (\S+)", str(error))):
        arguments = pipelined.groups()
    if not arguments:
        return "a command"
    texts = [item.decode(errors="replace") if isinstance(item, bytes) else str(item) for item in arguments]
    keys = [text for text in texts[1:] if text.startswith("posebus:")][:SHOWN_KEYS]
    return " ".join([texts[0], *keys])
