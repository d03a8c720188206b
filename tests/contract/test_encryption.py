"""Encrypted connections to a real redis-server: what is accepted, and what is refused with which sentence."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from posebus.bus.redis.connection import connect, open_broker
from posebus.errors import BrokerRefused, BrokerUnavailable
from posebus_cli.doctor.check_broker import broker as examine
from posebus_cli.doctor.findings import FINE
from tests.conftest import ROOT
from tests.secured_broker import SecuredBroker, make_secrets, secured_broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A broker with an additional user that may change the server's settings."""
    admin = "user admin on nopass ~* &* +@all\n"
    with secured_broker(tmp_path_factory.mktemp("secured"), more_users=admin) as started:
        yield started


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_secrets", ROOT / "deploy" / "make_secrets.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_doctor_reports_the_encryption_and_the_user(broker: SecuredBroker, redis_server: str) -> None:
    finding = examine(broker.url("operator"))
    assert finding.status == FINE
    assert finding.text.endswith("encrypted, as the user operator")
    assert "not encrypted" not in finding.text
    assert examine(redis_server).text.endswith("not encrypted, as the user default")


def test_a_certificate_of_another_authority_is_refused(broker: SecuredBroker, tmp_path: Path) -> None:
    assert make_secrets(tmp_path / "other").returncode == 0
    url = broker.url("worker")
    for address in (
        url.replace(str(broker.secrets / "ca.pem"), str(tmp_path / "other" / "ca.pem")),
        url.partition("?")[0],  # the system's authorities do not know it either
    ):
        with pytest.raises(BrokerRefused, match="its certificate cannot be verified") as caught:
            open_broker(address)
        assert broker.password("worker") not in str(caught.value)


def test_a_certificate_for_another_host_is_refused(broker: SecuredBroker) -> None:
    with pytest.raises(BrokerRefused, match=r"not valid for '127\.0\.0\.2'"):
        open_broker(broker.url("worker", host="127.0.0.2"))


def test_a_connection_without_encryption_is_refused(broker: SecuredBroker) -> None:
    with pytest.raises(BrokerUnavailable):
        open_broker(broker.url("worker").partition("?")[0].replace("rediss://", "redis://"))


def test_a_client_certificate_is_sent_to_a_broker_that_requires_one(broker: SecuredBroker, script: ModuleType) -> None:
    admin = connect(broker.url("operator").replace("operator:", "admin:"))
    admin.config_set("tls-auth-clients", "yes")  # of new connections
    try:
        # The end of the connection may arrive before its reason.
        with pytest.raises((BrokerRefused, BrokerUnavailable), match=r"asks for a client certificate|no answer"):
            open_broker(broker.url("worker"))
        script.sign(broker.secrets, "client", "extendedKeyUsage=clientAuth\n")
        files = f"ssl_certfile={broker.secrets / 'client.pem'}&ssl_keyfile={broker.secrets / 'client.key'}"
        assert open_broker(f"{broker.url('worker')}&{files}").client.ping()
    finally:
        admin.config_set("tls-auth-clients", "no")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ssl_ca_certs=/nowhere/ca.pem", "the file of its parameter ssl_ca_certs cannot be read: No such file"),
        ("ssl_ca_certs=/etc/passwd", "holds no certificate or key that fits"),
        ("decode_responses=yes", "it has the parameter 'decode_responses'; allowed are"),
    ],
)
def test_an_invalid_parameter_is_named(broker: SecuredBroker, query: str, expected: str) -> None:
    with pytest.raises(BrokerRefused, match=expected):
        open_broker(f"{broker.url('worker').partition('?')[0]}?{query}")


def test_secrets_are_readable_by_their_owner_alone_and_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert make_secrets(folder, POSEBUS_PASSWORD_WORKER="correct-horse-battery").returncode == 0
    assert folder.stat().st_mode & 0o777 == 0o700
    private = {path.name: path.stat().st_mode & 0o077 for path in folder.glob("*.env")} | {
        "ca.key": (folder / "ca.key").stat().st_mode & 0o077
    }
    assert set(private.values()) == {0}
    assert "correct-horse-battery" in (folder / "worker.env").read_text()
    assert "correct-horse-battery" not in (folder / "users.acl").read_text()
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert make_secrets(folder).returncode == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


def test_a_password_that_would_need_escaping_is_refused(tmp_path: Path) -> None:
    done = make_secrets(tmp_path / "secrets", POSEBUS_PASSWORD_WORKER="sesame open @home!")
    assert done.returncode == 1
    assert "POSEBUS_PASSWORD_WORKER must have 16 or more letters" in done.stderr
    assert "sesame" not in done.stderr


def test_the_certificate_names_the_hosts_that_were_asked_for(tmp_path: Path) -> None:
    assert make_secrets(tmp_path, "--host", "broker.lan", "--host", "192.0.2.7").returncode == 0
    command = ["openssl", "x509", "-in", str(tmp_path / "server.pem"), "-noout", "-ext", "subjectAltName"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "DNS:redis" in shown
    assert "DNS:broker.lan" in shown
    assert "IP Address:192.0.2.7" in shown
