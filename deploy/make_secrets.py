"""Passwords, the broker's ACL file and its certificate, once for a deployment: `python3 deploy/make_secrets.py`.

Needs Python and openssl, and nothing of posebus. Writes into deploy/secrets, which only its owner may enter:

    users.acl                          deploy/users.acl with the hash of a password for each role, for redis-server
    ca.pem, ca.key                     a certificate authority for this deployment alone
    server.pem, server.key             the broker's certificate
    ingest.env, worker.env, …          POSEBUS_REDIS=rediss://ROLE:PASSWORD@… for the services of docker-compose.yml
    wall.token                         the token with which people log in to the live wall; its hash is in live_wall.env
    operator.env, subscriber.env, …    the same for people and programs on this host
    operator.container.env, …          the same for people and programs in containers, such as the service `cli`

A role's password is taken from the environment (POSEBUS_PASSWORD_WORKER) or drawn at random; only its hash stands in
users.acl. What is there already is kept, so this may be called again after a change of deploy/users.acl: delete a file
to have it made anew, or the folder for all of them.

It also lets containers, which run as other users, read the files that they mount from this folder, where the modes of
the checkout (umask) do not.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

HERE = Path(__file__).resolve().parent
CONTAINER_ROLES = ("ingest", "worker", "tracker", "evidence", "deliver", "monitor", "live_wall")
"""Roles whose address is the service `redis`, with the CA file where docker-compose.yml mounts it. The others have a
second file with that address."""
MOUNTED = ("redis.conf", "posebus.yaml")
"""Files of this folder that docker-compose.yml mounts into containers."""
MAY_HOLD_PASSWORDS = ("posebus.yaml",)
CONTAINER_ADDRESS = ("redis:6379", "/etc/posebus/ca.pem")
VALID_DAYS = 3650
# Containers read these files as other users; the rights of the folder keep other users of this host out.
FOR_CONTAINERS = 0o644
FOR_OWNER = 0o600


def main() -> None:
    parser = argparse.ArgumentParser(description="Passwords, ACL file and certificate of the broker.")
    parser.add_argument("--out", type=Path, default=HERE / "secrets", help="folder for the files")
    parser.add_argument("--host", action="append", default=[], help="another name or IP address of the broker's host")
    parser.add_argument("--address", default="localhost:6379", help="HOST:PORT of the broker as people reach it")
    chosen = parser.parse_args()
    os.umask(0o077)
    chosen.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    chosen.out.chmod(0o700)
    try:
        make_certificates(chosen.out, ["redis", "localhost", "127.0.0.1", *chosen.host])
    except (OSError, subprocess.CalledProcessError) as error:
        detail = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else error
        sys.exit(f"make_secrets: certificates need the program openssl: {detail}")
    template = (HERE / "users.acl").read_text()
    make_users(chosen.out, template, chosen.address, os.environ)
    for name in MOUNTED:
        let_containers_read(HERE / name)
    sys.stdout.write(f"The secrets are in {chosen.out}. Now: docker compose up --build\n")


def make_users(folder: Path, template: str, address: str, environ: Mapping[str, str]) -> None:
    """Write NAME.env for each role that has none, and a matching users.acl."""
    hashes = {}
    for role in roles(template):
        path = folder / f"{role}.env"
        variable = f"POSEBUS_PASSWORD_{role.upper()}"
        password = environ.get(variable) or _password_in(path) or secrets.token_urlsafe(32)
        if not re.fullmatch(r"[\w.-]{16,}", password, flags=re.ASCII):
            sys.exit(
                f"make_secrets: {variable} must have 16 or more letters, digits, '.', '_' or '-', and nothing else"
            )
        here = address, str(folder.resolve() / "ca.pem")
        lines = [_setting(role, password, *(CONTAINER_ADDRESS if role in CONTAINER_ROLES else here))]
        if role == "monitor":
            lines.append(f"REDISCLI_AUTH={password}\n")
        if role == "live_wall":
            lines += _wall_login(folder / "wall.token")
        _write(path, "".join(lines), FOR_OWNER)
        if role not in CONTAINER_ROLES:
            _write(folder / f"{role}.container.env", _setting(role, password, *CONTAINER_ADDRESS), FOR_OWNER)
        hashes[role] = hashlib.sha256(password.encode()).hexdigest()
    _write(folder / "users.acl", render(template, hashes), FOR_CONTAINERS)


def let_containers_read(path: Path) -> None:
    """Let all users read the file `path`, unless it may hold passwords of cameras and others can enter its folder."""
    mode = path.stat().st_mode
    if mode & 0o004:
        return
    if path.name in MAY_HOLD_PASSWORDS and path.parent.stat().st_mode & 0o001:
        sys.stderr.write(
            f"make_secrets: containers cannot read {path}, because only its owner may, and other users of this host "
            f"may enter its folder. Close the folder (chmod o-x {path.parent}), or let all users read the file "
            f"(chmod o+r {path}), which can hold passwords of cameras.\n"
        )
    else:
        path.chmod(mode | 0o044)


def roles(template: str) -> list[str]:
    """Names of the users of a template, without `default`."""
    return [name for name in re.findall(r"^user (\S+)", template, flags=re.MULTILINE) if name != "default"]


def render(template: str, hashes: Mapping[str, str]) -> str:
    """The ACL file for redis-server: a line for each user, enabled if `hashes` has the hash of its password."""
    users: list[str] = []
    for line in template.splitlines():
        text = line.strip()
        if text.startswith("user "):
            users.append(text)
        elif text and not text.startswith("#"):
            users[-1] += f" {text}"
    return "".join(f"{_with_password(user, hashes)}\n" for user in users)


def make_certificates(folder: Path, hosts: Sequence[str]) -> None:
    """Write ca.pem, ca.key, and server.pem and server.key for `hosts`, if they are missing."""
    if not (folder / "ca.pem").exists():
        _openssl(
            *("req", "-x509", *_NEW_KEY, "-days", str(VALID_DAYS), "-subj", "/CN=posebus broker CA"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem")),
        )
        (folder / "server.pem").unlink(missing_ok=True)
    if not (folder / "server.pem").exists():
        names = ",".join(f"IP:{host}" if re.fullmatch(r"[\d.]+|.*:.*", host) else f"DNS:{host}" for host in hosts)
        sign(folder, "server", f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
    for name in ("ca.pem", "server.pem", "server.key"):
        (folder / name).chmod(FOR_CONTAINERS)


def sign(folder: Path, name: str, extensions: str) -> None:
    """Write NAME.pem and NAME.key, signed by the authority in `folder`."""
    authority = ("-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"), "-CAcreateserial")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        request, described = Path(scratch) / "request", Path(scratch) / "extensions"
        described.write_text(f"{extensions}subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        _openssl(*("req", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", str(folder / f"{name}.key")), "-out", request)
        _openssl(
            *("x509", "-req", "-in", request, *authority, "-days", str(VALID_DAYS)),
            "-extfile",
            described,
            "-out",
            folder / f"{name}.pem",
        )


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)


def _setting(role: str, password: str, place: str, ca: str) -> str:
    return f"POSEBUS_REDIS=rediss://{role}:{password}@{place}/0?ssl_ca_certs={quote(ca)}\n"


def _wall_login(path: Path) -> list[str]:
    """Return the settings by which the token in the file `path`, made if it is missing, opens the wall."""
    if not path.exists():
        _write(path, f"{secrets.token_urlsafe(32)}\n", FOR_OWNER)
    hashed = hashlib.sha256(path.read_text().strip().encode()).hexdigest()
    login = "POSEBUS_WALL__TOKENS__DEPLOYMENT__"
    return [f"{login}TOKEN=sha256:{hashed}\n", f"{login}ROLE=viewer\n"]


def _with_password(user: str, hashes: Mapping[str, str]) -> str:
    word, name, state, *rights = user.split()
    secret = f"on #{hashes[name]}" if name in hashes else state
    return " ".join((word, name, secret, *rights))


def _password_in(path: Path) -> str | None:
    """The password in the file `path` of an earlier call."""
    found = re.search(r"^POSEBUS_REDIS=(\S+)", path.read_text(), flags=re.MULTILINE) if path.exists() else None
    return urlsplit(found[1]).password if found else None


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text)
    path.chmod(mode)


if __name__ == "__main__":
    main()
