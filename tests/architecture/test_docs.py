"""The documents agree with the repository: links, tables, and the commands and targets that they name."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from architecture.tree import PACKAGES, modules

from posebus.bus.evidence.ring import EXPIRY_MARGIN_S
from posebus.config.cameras.evidence import RING_S, SnapshotSettings
from posebus.config.settings import RetentionSettings, TrackerSettings
from posebus.contract.retention import NOTHING, PERSONAL
from posebus.telemetry.metric_table import TABLE
from posebus.topology import KEYS
from tests.conftest import ROOT

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("**/*.md")),
]
FENCE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", flags=re.MULTILINE)


def links(text: str) -> list[str]:
    """Targets of all links in Markdown `text`, code blocks aside, that lead to files."""
    return [target for target in LINK.findall(FENCE.sub("", text)) if not re.match(r"[a-z]+:", target)]


def anchors(path: Path) -> set[str]:
    """Anchors of the headings in a Markdown file, made as code hosts make them."""
    titles = HEADING.findall(FENCE.sub("", path.read_text()))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_have_existing_targets(document: Path) -> None:
    broken = []
    for link in links(document.read_text()):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken, f"{document.name} links to what does not exist"


def test_links_are_found_and_code_blocks_are_skipped() -> None:
    text = "[a](b.md#c) ![d](e.png) [f](https://example.org)\n```\n[g](h)\n```\n"
    assert links(text) == ["b.md#c", "e.png"]


def test_table_of_keys_equals_that_of_the_code() -> None:
    rows = [
        f"| `{key.kind}` | {key.holds} | {key.writer} | {key.readers} | {key.retention} | {key.overflow} |"
        for key in KEYS
    ]
    table = ["| kind | holds | written by | read by | kept | when full |", "|---|---|---|---|---|---|", *rows]
    text = (ROOT / "ARCHITECTURE.md").read_text()
    found = re.search(r"<!-- keys: .*? -->\n(?P<table>.*?)\n?<!-- end of keys -->", text, flags=re.DOTALL)
    assert found
    assert found["table"] == "\n".join(table), "copy the expected table into ARCHITECTURE.md"


def test_the_table_of_retention_is_that_of_the_code_and_has_every_key() -> None:
    assert set(PERSONAL) == {key.kind for key in KEYS}, "say in posebus.contract.retention what the key holds of people"
    rows = [f"| `{kind}` | {one.holds} | {one.kept} |" for kind, one in PERSONAL.items() if one != NOTHING]
    nothing = ", ".join(f"`{kind}`" for kind, one in PERSONAL.items() if one == NOTHING)
    rows.append(f"| {nothing} | nothing | - |")
    table = ["| key | what it holds of people | for how long |", "|---|---|---|", *rows]
    text = (ROOT / "docs" / "limits.md").read_text()
    found = re.search(r"<!-- retention: .*? -->\n(?P<table>.*?)\n?<!-- end of retention -->", text, flags=re.DOTALL)
    assert found
    assert found["table"] == "\n".join(table), "copy the expected table into docs/limits.md"


def test_the_times_of_the_table_of_retention_are_the_defaults() -> None:
    kept = RetentionSettings()
    assert f"the newest {kept.tracks_entries:,} frames or {kept.tracks_bytes / 1e6:.0f} MB" in PERSONAL["tracks"].kept
    assert kept.tracks_entries / 25 >= 180
    assert f"or {kept.events_bytes / 1e6:.0f} MB" in PERSONAL["events"].kept
    assert f"the newest {kept.events_kept // 100 * 100:,}" in PERSONAL["events"].kept
    assert f"the newest {kept.dead_entries} or {kept.dead_bytes / 1e6:.0f} MB" in PERSONAL["dead"].kept
    assert f"the last {TrackerSettings().lost_s:g} seconds" in PERSONAL["state"].kept
    assert PERSONAL["snapshot"].kept == f"{SnapshotSettings().keep_s / 3600:g} hours"
    assert PERSONAL["evidence"].kept.startswith(f"{RING_S:g} seconds; {RING_S + EXPIRY_MARGIN_S:g} after")


def test_the_table_of_folders_is_that_of_the_tree() -> None:
    folders = sorted({path.parent for package in PACKAGES for path in modules(package)})
    rows = [f"| [{folder.relative_to(ROOT)}/]({folder.relative_to(ROOT)}/) | {purpose(folder)} |" for folder in folders]
    table = ["| folder | what is in it |", "|---|---|", *rows]
    text = (ROOT / "ARCHITECTURE.md").read_text()
    found = re.search(r"<!-- folders: .*? -->\n(?P<table>.*?)\n?<!-- end of folders -->", text, flags=re.DOTALL)
    assert found
    assert found["table"] == "\n".join(table), "copy the expected table into ARCHITECTURE.md"


def purpose(folder: Path) -> str:
    """The first line of the docstring of a folder's `__init__`."""
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert docstring, f"{folder} does not say what it is for"
    return docstring.splitlines()[0]


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    rows = [
        f"| `{spec.name}` | {spec.kind} | {', '.join(f'`{label}`' for label in spec.labels) or '-'} | {spec.help} |"
        for spec in TABLE
    ]
    table = ["| metric | kind | labels | what it says |", "|---|---|---|---|", *rows]
    text = (ROOT / "docs" / "deployment.md").read_text()
    found = re.search(r"<!-- metrics: .*? -->\n(?P<table>.*?)\n?<!-- end of metrics -->", text, flags=re.DOTALL)
    assert found
    assert found["table"] == "\n".join(table), "copy the expected table into docs/deployment.md"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_code_blocks_exist_with_their_options(document: Path) -> None:
    from typer.main import get_command

    from posebus_cli.app import app

    for line in _command_lines(document, "posebus "):
        command: Any = get_command(app)
        words = line.split()[1:]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands"), f"{line!r} names no command"
        known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("-")} <= known, line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_in_code_blocks_exist(document: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {line.split()[1] for line in _command_lines(document, "make ")} <= targets


def test_extras_that_documents_name_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for document in DOCUMENTS:
        for named in re.findall(r"\.\[([a-z,]+)\]'", document.read_text()):
            assert set(named.split(",")) <= set(extras), f"{document.name} names the extra {named}"


def _command_lines(document: Path, start: str) -> list[str]:
    """Lines of shell code blocks that begin with `start`, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(start)]
