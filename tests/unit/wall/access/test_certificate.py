"""The certificate that the wall makes: read by the cryptography library and by a TLS handshake of the standard one."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from posebus.errors import ConfigError, OutputError
from wall.access.certificate import FILE, fingerprint, machine_names, now_utc, own_certificate

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NAMES = ["wall.example", "192.0.2.7", "2001:db8::7"]


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_it_holds_for_the_names_and_for_a_year_and_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    os.umask(0o022)
    path = own_certificate(tmp_path / "cache", NAMES, NOW)
    assert path == tmp_path / "cache" / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    found = read(path)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "wall.example"}
    addresses = {"127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"}
    assert set(names.get_values_for_type(x509.IPAddress)) == set(map(ipaddress.ip_address, addresses))
    assert found.not_valid_before_utc <= NOW
    assert found.not_valid_after_utc - found.not_valid_before_utc <= timedelta(days=398), "browsers refuse longer ones"
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert isinstance(found.signature_hash_algorithm, hashes.SHA256)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == found.public_key()


def test_it_is_kept_until_shortly_before_its_end(tmp_path: Path) -> None:
    first = own_certificate(tmp_path, NAMES, NOW).read_bytes()
    assert own_certificate(tmp_path, NAMES[:1], NOW + timedelta(days=334)).read_bytes() == first
    later = own_certificate(tmp_path, NAMES, NOW + timedelta(days=336))
    assert later.read_bytes() != first
    assert read(later).not_valid_after_utc == NOW + timedelta(days=336 + 365)


@pytest.mark.parametrize("damage", ["names", "mode", "half", "other key", "empty"])
def test_one_that_is_not_good_any_more_is_made_anew(damage: str, tmp_path: Path) -> None:
    path = own_certificate(tmp_path, NAMES, NOW)
    first = path.read_bytes()
    names = [*NAMES, "new.example"] if damage == "names" else NAMES
    if damage == "mode":
        path.chmod(0o640)
    elif damage == "half":
        path.write_bytes(first[: len(first) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "other key":
        other = own_certificate(tmp_path / "other", NAMES, NOW).read_bytes()
        path.write_bytes(other[: other.index(b"-----BEGIN CERT")] + first[first.index(b"-----BEGIN CERT") :])
    assert own_certificate(tmp_path, names, NOW).read_bytes() != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_browsers_would_see_this_fingerprint_and_accept_the_names(tmp_path: Path) -> None:
    path = own_certificate(tmp_path, NAMES, now_utc())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    client = ssl.create_default_context(cafile=str(path))
    here, there = socket.socketpair()

    def answer() -> None:
        with server.wrap_socket(there, server_side=True) as encrypted:
            encrypted.recv(1)

    thread = threading.Thread(target=answer)
    thread.start()
    with client.wrap_socket(here, server_hostname="wall.example") as encrypted:
        shown = encrypted.getpeercert(binary_form=True)
        encrypted.send(b"x")
    thread.join(10)
    assert shown is not None
    digest = hashes.Hash(hashes.SHA256())
    digest.update(shown)
    assert fingerprint(path) == digest.finalize().hex(":").upper()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "wall").write_text("a file")
    with pytest.raises(OutputError, match="certificate cannot be written to"):
        own_certificate(tmp_path, NAMES, NOW)


def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        fingerprint(tmp_path / "missing.pem")
    (tmp_path / "wrong.pem").write_text("nothing")
    with pytest.raises(ConfigError, match="holds no certificate"):
        fingerprint(tmp_path / "wrong.pem")


def test_this_machine_has_names_that_a_certificate_can_hold(tmp_path: Path) -> None:
    found = machine_names()
    assert found
    assert len(found) == len(set(found))
    own_certificate(tmp_path, found, NOW)
