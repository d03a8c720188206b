"""Where a wall is served by its settings, and whether it may be. Pure."""

from __future__ import annotations

from posebus.config.wall.wall_settings import WallSettings

ALL_ADDRESSES = frozenset({"0.0.0.0", "::", ""})
"""The values of `host` that mean all addresses of this machine."""


def wall_address(settings: WallSettings, name: str | None = None) -> str:
    """Return the address for the browser; of a wall that is served at all addresses, the one for this machine.

    name: that of this machine for others, instead of `host`.
    """
    host = name or settings.host.strip("[]")
    if host in ALL_ADDRESSES:
        host = "localhost"
    scheme, usual = ("https", 443) if settings.is_encrypted else ("http", 80)
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}/" if settings.port == usual else f"{scheme}://{shown}:{settings.port}/"


def refusal_to_serve(settings: WallSettings) -> str | None:
    """Return why the wall cannot be served to other machines, in one sentence with what to do; None: it can be."""
    if settings.is_local:
        return None
    here = f"the wall is not served at {settings.host}, where other machines can connect"
    if not settings.asks_who:
        return (
            f"{here}, without logins: name people under wall.people, with hashes that "
            "'posebus wall --make-password' prints, or leave wall.host at 127.0.0.1"
        )
    if not settings.is_encrypted:
        return (
            f"{here}, without encryption, since passwords and pictures could be read on the way: remove "
            "'tls: off', or set wall.host to 127.0.0.1 and let a proxy on this machine encrypt"
        )
    return None
