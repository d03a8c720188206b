"""Print the requirements of the named extras of posebus, one per line: `python requirements.py ingest tracking`.

`--without torch` leaves packages out. The Dockerfile installs these before it copies the source, so that a change of
the code does not install torch again.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

NAME = re.compile(r"[A-Za-z0-9._-]+")
OWN_EXTRAS = re.compile(r"posebus\[(?P<extras>[^\]]+)\]")


def requirements(project: dict[str, Any], extras: Sequence[str]) -> Iterator[str]:
    """Yield the requirements of `project` (the table of pyproject.toml) with `extras`, including extras of extras."""
    yield from project["dependencies"]
    for extra in extras:
        for requirement in project["optional-dependencies"][extra]:
            own = OWN_EXTRAS.fullmatch(requirement)
            if own:
                yield from requirements(project, [name.strip() for name in own["extras"].split(",")])
            else:
                yield requirement


def without(listed: Iterable[str], left_out: Sequence[str]) -> list[str]:
    """`listed` without the packages named in `left_out`, each once, in their order."""
    return [line for line in dict.fromkeys(listed) if line[: NAME.match(line).end()] not in left_out]


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the requirements of extras of posebus.")
    parser.add_argument("extras", nargs="+")
    parser.add_argument("--without", nargs="+", default=[], metavar="PACKAGE")
    chosen = parser.parse_args()
    with Path("pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    sys.stdout.write("\n".join(without(requirements(project, chosen.extras), chosen.without)) + "\n")


if __name__ == "__main__":
    main()
