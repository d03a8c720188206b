"""What messages and documents advise exists: packages and extras to install, commands of posebus and their options."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from architecture.tree import PACKAGES, modules, parse

from tests.conftest import ROOT

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
INLINE_CODE = re.compile(r"`(posebus [^`]+)`")
COMMAND = re.compile(r"(?:['`]|(?:run|with|Try): )(posebus(?: (?:-{0,2}[A-Za-z0-9_./{}-]+))+)")
PIP = re.compile(r"pip install (?:--?[a-z-]+ |constraints\.txt )*(?:'([^']*)'|([a-z0-9 -]+))")
APT = re.compile(r"apt install ((?:--?[a-z-]+ )*(?:[a-z0-9][a-z0-9+.-]+ ?)+)")


def sentences() -> Iterator[tuple[Path, str]]:
    """All texts in the code, those of f-strings as wholes, in which X stands for values."""
    for package in PACKAGES:
        for path in modules(package):
            inside: set[ast.AST] = set()
            for node in ast.walk(parse(path)):
                if isinstance(node, ast.JoinedStr):
                    inside |= set(node.values)
                    parts = (str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
                    yield path, "".join(parts)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
                    yield path, node.value


@cache
def commands() -> Any:
    """The command line; making it takes a tenth of a second, and hundreds of texts are looked up in it."""
    from posebus_cli.app import command

    return command()


def check_command(text: str) -> None:
    """Fail if `text`, such as `posebus dead list --limit N`, names a command or an option that does not exist."""
    words = text.split()[1:]
    below = commands()
    while words and words[0] in getattr(below, "commands", {}):
        below = below.commands[words.pop(0)]
    named = [word for word in words if re.fullmatch(r"[a-z]+", word)]
    assert not (hasattr(below, "commands") and named), f"{text!r}: there is no command {named[0]!r}"
    known = {flag for parameter in below.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "-h"}
    wanted = {word.rstrip(".,;:)") for word in words if word.startswith("-")}
    assert wanted <= known, f"{text!r}: there is no option {', '.join(wanted - known)}"


def test_commands_in_messages_exist_with_their_options() -> None:
    found = [match for _, text in sentences() for match in COMMAND.findall(" ".join(text.split()))]
    assert len(found) > 30
    for text in found:
        check_command(text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_the_text_of_documents_exist_with_their_options(document: Path) -> None:
    for text in INLINE_CODE.findall(document.read_text()):
        check_command(" ".join(text.split()))


def test_commands_that_do_not_exist_are_found() -> None:
    for text in ("posebus stop", "posebus top --all", "posebus dead undo ID", "posebus jobs list"):
        with pytest.raises(AssertionError, match="there is no"):
            check_command(text)


def test_packages_to_install_exist() -> None:
    """posebus is in no index: its extras are installed from its folder. The others are among the tested versions."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE))
    found = [(path, match) for path, text in sentences() for match in PIP.finditer(text)]
    assert len(found) > 10
    for path, match in found:
        if match[1] is not None:
            named = re.fullmatch(r"\.\[([a-z0-9,X]+)\]|X", match[1])
            assert named, f"{path.name}: {match[0]} names a package that is in no index"
            assert set((named[1] or "X").split(",")) - {"X"} <= set(extras), f"{path.name}: {match[0]}"
        else:
            assert set(match[2].split()) <= locked, f"{path.name}: {match[0]}"


def test_system_packages_are_those_of_the_contributors_guide() -> None:
    known = set((ROOT / "CONTRIBUTING.md").read_text().replace("`", " ").replace(")", " ").split())
    found = [(path, match[1]) for path, text in sentences() for match in APT.finditer(text)]
    assert found
    for path, wanted in found:
        assert {word for word in wanted.split() if not word.startswith("-")} <= known, f"{path.name}: {wanted}"
