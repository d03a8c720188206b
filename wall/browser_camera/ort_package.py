"""The files of onnxruntime-web that run the network in a browser, kept in the cache folder.

They are 41 MB, so they are not in the repository. The first page that needs them makes the wall fetch one archive of
the npm registry, whose hash is part of this file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from posebus.config.redaction import redact_url
from posebus.errors import PoseBusError
from posebus.machine.scratch import cache_scratch

NAME, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""The sha512 of the archive as the registry states it, in base64."""
FILES: Mapping[str, str] = {
    "ort.wasm.min.mjs": "text/javascript",
    "ort-wasm-simd-threaded.mjs": "text/javascript",
    "ort-wasm-simd-threaded.wasm": "application/wasm",
    "ort.webgpu.min.mjs": "text/javascript",
    "ort-wasm-simd-threaded.asyncify.mjs": "text/javascript",
    "ort-wasm-simd-threaded.asyncify.wasm": "application/wasm",
}
"""The files that pages may load, with their media types: first those for processors, then those for WebGPU."""
MAX_ARCHIVE_BYTES = 60_000_000
TIMEOUT_S = 20.0
DEFAULT_REGISTRY = "https://registry.npmjs.org"
_REGISTRY_VARIABLES = ("npm_config_registry", "NPM_CONFIG_REGISTRY")


class NetworkMissing(PoseBusError):
    """What a page needs to run the network is not here; a sentence says what to do."""


class OrtPackage:
    """The folder with the files. Its methods block."""

    def __init__(self, cache_dir: Path, registry: str | None = None) -> None:
        """`registry`: the address of the npm registry; None: the one that npm would use."""
        self.folder = cache_dir / "browser" / f"{NAME}-{VERSION}"
        self._registry = registry
        self._lock = threading.Lock()

    def file(self, name: str) -> Path:
        """Return one of FILES, after fetching all of them if they are not here. Raises NetworkMissing and KeyError."""
        FILES[name]
        with self._lock:
            if not all((self.folder / one).is_file() for one in FILES):
                self._fetch()
        return self.folder / name

    def _fetch(self) -> None:
        registry = (self._registry or npm_registry()).rstrip("/")
        address = f"{registry}/{NAME}/-/{NAME}-{VERSION}.tgz"
        try:
            # The address is that of the person's own npm, and the hash below holds for what comes from there.
            with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
                archive = answer.read(MAX_ARCHIVE_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise NetworkMissing(
                f"{redact_url(registry)} does not answer ({str(reason)[:100]}). {self.by_hand}"
            ) from error
        if base64.b64encode(hashlib.sha512(archive).digest()).decode() != INTEGRITY:
            raise NetworkMissing(f"what {redact_url(registry)} sent is not {NAME} {VERSION}. {self.by_hand}")
        self._unpack(archive)

    def _unpack(self, archive: bytes) -> None:
        parent = self.folder.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with cache_scratch(parent) as scratch, tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as package:
                for name in FILES:
                    member = package.extractfile(f"package/dist/{name}")
                    if member is None:
                        raise NetworkMissing(f"{NAME} {VERSION} has no file {name}. {self.by_hand}")
                    (scratch / name).write_bytes(member.read())
                self.folder.mkdir(exist_ok=True)
                for name in FILES:
                    (scratch / name).replace(self.folder / name)
        except OSError as error:
            raise NetworkMissing(
                f"{NAME} cannot be stored in {parent} ({error.strerror}): check its permissions and free space"
            ) from error

    @property
    def by_hand(self) -> str:
        """What a person can do where the wall cannot fetch the files."""
        return (
            f"To send poses only, put the files of package/dist of {NAME}-{VERSION}.tgz (npm pack {NAME}@{VERSION}) "
            f"into {self.folder}, or send pictures"
        )


def npm_registry(environment: Mapping[str, str] | None = None, home: Path | None = None) -> str:
    """Return the address of the npm registry: of the environment, of the file .npmrc, or the public one."""
    environment = os.environ if environment is None else environment
    for variable in _REGISTRY_VARIABLES:
        if environment.get(variable):
            return environment[variable]
    configured = environment.get("NPM_CONFIG_USERCONFIG") or environment.get("npm_config_userconfig")
    try:
        text = Path(configured or (home or Path.home()) / ".npmrc").read_text(errors="replace")
    except (OSError, RuntimeError):
        return DEFAULT_REGISTRY
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() == "registry":
            return value.strip().strip("\"'")
    return DEFAULT_REGISTRY
