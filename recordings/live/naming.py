"""A name for a source, derived from what it names: a host, a device, a file. Pure, and free of credentials."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from posebus.config.harmless import HIDDEN
from posebus.config.local_files import is_file_address, is_folder, local_path
from posebus.config.redaction import redact_url
from posebus.errors import SourceRejected

UNKNOWN = "camera"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_KIND = re.compile(r"([a-z][a-z0-9_-]+):", re.IGNORECASE)


def source_name(source: str) -> str:
    """Return the host of an address, usb0 for usb:0, bus for synthetic:bus?fps=5, and the stem of a file or folder.

    Of a source of another kind only the kind is known to hold no password.
    """
    if is_file_address(source):
        return _file_name(source)
    if _ADDRESS.match(source):
        return _host(source) or UNKNOWN
    kind = _KIND.match(source)
    if kind is None:
        return _file_name(source)
    rest = source[kind.end() :]
    if kind[1] == "usb":
        return f"usb{rest}" if rest.isdecimal() else rest.rpartition("/")[2] or "usb"
    if kind[1] == "synthetic":
        return rest.partition("?")[0] or kind[1]
    try:
        exists = local_path(source).exists()
    except (OSError, ValueError, SourceRejected):
        exists = False
    return _file_name(source) if exists else kind[1]


def _file_name(source: str) -> str:
    try:
        path = local_path(source)
        # "." and ".." have no name and no stem until they are resolved.
        path = path if path.name.strip(".") else path.resolve()
    except (OSError, ValueError, SourceRejected):
        return UNKNOWN
    return (path.name if is_folder(path) else path.stem) or UNKNOWN


def _host(address: str) -> str | None:
    """Return the host of the address as it may be shown: a password with a slash would be taken for one otherwise."""
    try:
        host = urlsplit(redact_url(address)).hostname
    except ValueError:
        return None
    return None if host is None or HIDDEN in host else host
