"""The digests of the images that posebus is built from and run with: `python3 deploy/pin_images.py`.

A tag like python:3.11-slim-bookworm names another image after each rebuild of it; with a digest behind it,
python:3.11-slim-bookworm@sha256:…, it names one for ever. This asks the registry for the digest that each tag has now,
and writes it into the files that name the image. Needs Python alone.

    python3 deploy/pin_images.py            asks and writes; run it again to take newer images
    python3 deploy/pin_images.py --check    asks nothing: fails if some images have a digest and others do not
    python3 deploy/pin_images.py --unpin    removes the digests
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = {
    "Dockerfile": r"(?m)^ARG PYTHON_IMAGE=(\S+)$",
    "docker-compose.yml": r"\$\{REDIS_IMAGE:-([^}]+)\}",
    "deploy/kubernetes/redis.yaml": r"(?m)^ *image: (redis:\S+)$",
}
"""Where an image is named: by file, the pattern whose group is its name."""
HUB = "https://registry-1.docker.io"
TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""Lists of images for several processors first: a digest of one of them would fit that processor alone."""
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
TIMEOUT_S = 30.0
MAX_BYTES = 4_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Digests of the images that posebus is built from and run with.")
    parser.add_argument("--check", action="store_true", help="only check that all images have a digest, or none")
    parser.add_argument("--unpin", action="store_true", help="remove the digests")
    parser.add_argument("--registry", default=HUB, help="registry to ask, by default Docker's")
    chosen = parser.parse_args()
    try:
        if chosen.check:
            sys.stdout.write(f"{check(ROOT)}\n")
        elif chosen.unpin:
            rewrite(ROOT, {image: tag_of(image) for image in images(ROOT)})
        else:
            pinned = {image: pin(tag_of(image), chosen.registry) for image in images(ROOT)}
            rewrite(ROOT, pinned)
            sys.stdout.write("".join(f"{name}\n" for name in sorted(set(pinned.values()))))
    except ValueError as error:
        sys.exit(f"pin_images: {error}")


def images(root: Path) -> list[str]:
    """The images that the files below `root` name, in their order."""
    found = []
    for name, pattern in PLACES.items():
        here = re.findall(pattern, (root / name).read_text())
        if not here:
            raise ValueError(f"{name} names no image where one is expected")
        found += here
    return found


def check(root: Path) -> str:
    """A sentence about the digests of all images. Raises ValueError if some have one and others do not."""
    named = images(root)
    bare = sorted({image for image in named if not DIGEST.search(image)})
    if not bare:
        return f"all {len(set(named))} images have a digest"
    if len(bare) < len(set(named)):
        raise ValueError(f"without a digest, though other images have one: {', '.join(bare)}; run it without --check")
    return f"no image has a digest yet: {', '.join(bare)}"


def tag_of(image: str) -> str:
    """The image without its digest."""
    return DIGEST.sub("", image)


def rewrite(root: Path, names: dict[str, str]) -> None:
    """Replace the images in all files by what `names` has for them."""
    for name, pattern in PLACES.items():
        path = root / name
        text = path.read_text()
        new = re.sub(pattern, lambda match: match[0].replace(match[1], names[match[1]]), text)
        if new != text:
            path.write_text(new)


def pin(image: str, registry: str) -> str:
    """`image`, a name with a tag, with the digest that the registry has for it now. Raises ValueError."""
    repository, _, tag = image.partition(":")
    repository = repository if "/" in repository else f"library/{repository}"
    address = f"{registry}/v2/{repository}/manifests/{urllib.parse.quote(tag or 'latest')}"
    try:
        body, told = _manifest(address)
    except (OSError, ValueError) as error:
        raise ValueError(f"the digest of {image} cannot be looked up: {error}; nothing was changed") from None
    # What counts is the hash of what was sent, as engines compute it, and not what a proxy says about it.
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if told not in ("", digest):
        raise ValueError(f"the registry sent another manifest of {image} than it names: {told}, not {digest}")
    return f"{image}@{digest}"


def _manifest(address: str) -> tuple[bytes, str]:
    """(manifest, the digest that the registry names for it or an empty text), with a token if it asks for one."""
    try:
        return _get(address, {})
    except urllib.error.HTTPError as error:
        challenge = dict(re.findall(r'(\w+)="([^"]*)"', error.headers.get("WWW-Authenticate", "")))
        if error.code != 401 or "realm" not in challenge:
            raise
    realm = challenge.pop("realm")
    if not realm.startswith(("https://", "http://")):
        raise ValueError(f"its service for tokens has no address that can be asked: {realm[:100]}")
    body, _ = _get(f"{realm}?{urllib.parse.urlencode(challenge)}", {})
    answer = json.loads(body)
    return _get(address, {"Authorization": f"Bearer {answer.get('token') or answer['access_token']}"})


def _get(address: str, headers: dict[str, str]) -> tuple[bytes, str]:
    request = urllib.request.Request(address, headers={"Accept": ", ".join(TYPES), **headers})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        body: bytes = answer.read(MAX_BYTES)
        return body, answer.headers.get("Docker-Content-Digest", "")


if __name__ == "__main__":
    main()
