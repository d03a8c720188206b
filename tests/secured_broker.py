"""The broker of docker-compose.yml without a container: encrypted, a user for each role, and the same arguments."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from posebus.bus.redis.connection import open_broker
from posebus.errors import BrokerUnavailable
from tests.conftest import ROOT, missing
from tests.ports import free_port

SERVICE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]
IN_CONTAINER = "/usr/local/etc/redis/"


@dataclass(frozen=True)
class SecuredBroker:
    """`secrets` is the output folder of deploy/make_secrets.py."""

    port: int
    secrets: Path
    log: Path

    def url(self, role: str, host: str = "localhost") -> str:
        """The address in ROLE.env, as reachable from this process."""
        (address,) = re.findall(r"POSEBUS_REDIS=(\S+)", (self.secrets / f"{role}.env").read_text())
        address = re.sub(r"@[^/]+/", f"@{host}:{self.port}/", address)
        return re.sub(r"(ssl_ca_certs=).*", rf"\g<1>{self.secrets / 'ca.pem'}", address)

    def password(self, role: str) -> str:
        """A client of the user `role`."""
        return self.url(role).split(":")[2].split("@")[0]


def make_secrets(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run deploy/make_secrets.py as a user does, without any package on its path."""
    command = [sys.executable, "-I", str(ROOT / "deploy" / "make_secrets.py"), "--out", str(folder), *options]
    return subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False
    )


@contextmanager
def secured_broker(folder: Path, *options: str, more_users: str = "") -> Iterator[SecuredBroker]:
    """A redis-server started like the service `redis`.

    `options` are further ones of its command line, `more_users` further lines of its ACL file.
    """
    for program in ("redis-server", "openssl"):
        if shutil.which(program) is None:
            missing(f"{program} is not installed (on Debian: apt install {program})")
    done = make_secrets(folder / "secrets")
    assert done.returncode == 0, done.stderr
    with (folder / "secrets" / "users.acl").open("a") as users:
        users.write(more_users)
    files = {"redis.conf": ROOT / "deploy" / "redis.conf"}
    for _ in range(5):
        broker = SecuredBroker(free_port(), folder / "secrets", folder / "redis.log")
        words = [
            str(files.get(word.removeprefix(IN_CONTAINER), broker.secrets / word.removeprefix(IN_CONTAINER)))
            if word.startswith(IN_CONTAINER)
            else word
            for word in SERVICE["command"]
        ]
        words[words.index("--tls-port") + 1] = str(broker.port)
        words[words.index("--maxmemory") + 1] = "1gb"
        place = ["--dir", str(folder), "--logfile", str(broker.log), "--bind", "127.0.0.1", "127.0.0.2"]
        # As the entry point of the image does, for a command that begins with a .conf.
        process = subprocess.Popen(["redis-server", *words, *place, *options])
        try:
            if _answers(process, broker):
                yield broker
                return
        finally:
            process.terminate()
            process.wait(timeout=30)
    raise AssertionError(broker.log.read_text())


def _answers(process: subprocess.Popen[bytes], broker: SecuredBroker) -> bool:
    while process.poll() is None:
        try:
            return bool(open_broker(broker.url("monitor")).client.ping())
        except BrokerUnavailable:
            continue
    return False
