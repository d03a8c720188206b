"""The certificate that the wall makes itself, where the configuration names none.

No authority vouches for it, so browsers warn once; after that the traffic can neither be read nor changed on the way.
It is kept, so that they warn once only, and its fingerprint is shown at the start, by which people can recognise it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from posebus.errors import ConfigError, OutputError

VALID_DAYS = 365
"""Browsers refuse certificates that are valid for more than 398 days, or 825 for those that people trust themselves."""
RENEW_DAYS = 30
"""A certificate is renewed so long before its end."""
CLOCKS_DIFFER = timedelta(days=1)
FILE = "wall/certificate.pem"
"""In the folder of the cache: key and certificate in one file, so that both are replaced at once."""
OWN_NAMES = ("localhost", "127.0.0.1", "::1")
LONGEST_NAME = 64
"""Characters of a common name (X.520)."""


def own_certificate(folder: Path, names: Collection[str], now: datetime) -> Path:
    """Return the PEM file with key and certificate for `names`: names and addresses of this machine.

    One that is kept in `folder` is used as long as it holds for all of `names`, and for RENEW_DAYS. Raises OutputError.
    """
    path = folder / FILE
    wanted = {_alternative(name) for name in (*OWN_NAMES, *names)}
    if not _is_good(path, wanted, now):
        _write(path, _made(wanted, now))
    return path


def fingerprint(path: Path) -> str:
    """Return the SHA-256 fingerprint of the first certificate in a file, as browsers show it. Raises ConfigError."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"the certificate {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path} holds no certificate in PEM form") from None
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def machine_names() -> list[str]:
    """Return the names and addresses of this machine by which others may know it."""
    name = socket.gethostname()
    found = [name] if _is_name(name) else []
    full = socket.getfqdn()
    if full != name and _is_name(full):
        found.append(full)
    found.append(f"{name.partition('.')[0]}.local")
    with contextlib.suppress(OSError):
        found += [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    # The address that this machine uses towards others. Nothing is sent: the socket only looks for a route.
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as looking:
            looking.connect((elsewhere, 9))
            found.append(str(looking.getsockname()[0]))
    return list(dict.fromkeys(one for one in found if _is_name(one)))


def _is_name(name: str) -> bool:
    """Whether a certificate can hold it, which it cannot for an address of one interface alone (fe80::1%eth0)."""
    try:
        _alternative(name)
    except ValueError:
        return False
    return "%" not in name


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode() if not name.isascii() else name)


def _is_good(path: Path, wanted: set[x509.GeneralName], now: datetime) -> bool:
    try:
        content = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(content)
        key = serialization.load_pem_private_key(content, None)
        held = set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    if certificate.public_key() != key.public_key() or (path.stat().st_mode & 0o077):
        return False
    return wanted <= held and certificate.not_valid_after_utc - now > timedelta(days=RENEW_DAYS)


def _made(names: set[x509.GeneralName], now: datetime) -> bytes:
    """Return a new key (P-256) and a certificate for it (RFC 5280), in PEM form."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"posebus wall {socket.gethostname()}"[:LONGEST_NAME])]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(sorted(names, key=str)), critical=False)
        # It can vouch for no other certificate, in case its key is stolen.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, as a whole."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise OutputError(f"the wall's certificate cannot be written to {path}: {error.strerror}") from None


def now_utc() -> datetime:
    """Return the time of the wall clock."""
    return datetime.now(UTC)
