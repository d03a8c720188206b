"""Print the requirements of the named extras of posebus, one per line: `python requirements.py ingest tracking`.

The Dockerfile installs these before it copies the source, so that a change of the code does not install torch again.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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


def main() -> None:
    with Path("pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    sys.stdout.write("\n".join(dict.fromkeys(requirements(project, sys.argv[1:]))) + "\n")


if __name__ == "__main__":
    main()
