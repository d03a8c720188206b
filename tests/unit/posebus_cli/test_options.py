"""Options in groups: how a command gets them, and that they agree with the settings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any, get_args

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from posebus.config.settings import Settings
from posebus.config.worker_settings import EngineName, Enhance, MotionGate, PrecisionName, WorkerSettings
from posebus_cli.app import app, command
from posebus_cli.options.grouping import Offer, Sets, grouped, overrides
from posebus_cli.options.groups import DeploymentOptions, FleetOptions, NetworkOptions, PictureNetworkOptions

GROUPS = (DeploymentOptions, FleetOptions, NetworkOptions, PictureNetworkOptions)


@dataclass(frozen=True, slots=True)
class Paint:
    color: Annotated[str, typer.Option("--color", "-k"), Sets("paint.color")] = "red"
    coats: Annotated[int | None, typer.Option("--coats"), Sets("paint.coats")] = None
    note: Annotated[str, typer.Option("--note")] = ""


@dataclass(frozen=True, slots=True)
class Required:
    room: Annotated[str, typer.Option("--room")]


def run(command: Any, *arguments: str) -> str:
    application = typer.Typer()
    application.command()(grouped(command))
    done = CliRunner().invoke(application, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def test_options_reach_the_command_as_a_group() -> None:
    def command(walls: list[str], paint: Paint, dry: Annotated[bool, typer.Option("--dry")] = False) -> None:
        typer.echo(f"{walls} {paint} {dry}")

    assert run(command, "north", "south", "-k", "blue", "--coats", "2", "--dry") == (
        "['north', 'south'] Paint(color='blue', coats=2, note='') True\n"
    )


def test_options_that_are_not_given_have_the_defaults_of_the_group() -> None:
    def command(*, dry: Annotated[bool, typer.Option("--dry")] = False, paint: Paint) -> None:
        typer.echo(f"{paint == Paint()} {dry}")

    assert run(command) == "True False\n"


def test_options_without_a_default_are_required() -> None:
    def command(required: Required) -> None:
        typer.echo(required.room)

    assert run(command, "--room", "hall") == "hall\n"
    application = typer.Typer()
    application.command()(grouped(command))
    assert CliRunner().invoke(application, []).exit_code == 2


@pytest.mark.parametrize(
    ("offer", "names"),
    [
        (Offer(), ["color", "coats", "note"]),
        (Offer(first=("note",)), ["note", "color", "coats"]),
        (Offer(without=("color",)), ["coats", "note"]),
        (Offer(first=("note", "color"), others=False), ["note", "color"]),
        (Offer(first=("note",), without=("coats",)), ["note", "color"]),
    ],
)
def test_an_offer_chooses_and_orders_the_options(offer: Offer, names: list[str]) -> None:
    def command(paint: Paint) -> None:
        typer.echo(paint)

    command.__annotations__["paint"] = Annotated[Paint, offer]
    assert list(inspect.signature(grouped(command)).parameters) == names
    assert "note" not in names or "note='n'" in run(command, "--note", "n")


def test_an_offer_of_an_option_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(TypeError, match="Paint has no option gloss"):
        Offer(first=("gloss",)).names(Paint)


def test_two_options_of_one_name_are_an_error() -> None:
    def command(paint: Paint, coats: int = 1) -> None:
        typer.echo(f"{paint} {coats}")

    with pytest.raises(ValueError, match="duplicate parameter name: 'coats'"):
        grouped(command)


def test_a_grouped_command_can_be_called_with_positional_arguments_and_single_options() -> None:
    taken: list[object] = []

    def command(walls: list[str], paint: Paint) -> None:
        taken.extend([walls, paint])

    grouped(command)(["north"], coats=3)
    assert taken == [["north"], Paint(coats=3)]


def test_overrides_are_the_values_of_the_options_that_set_a_field() -> None:
    assert overrides(Paint(coats=3), Required("hall")) == {"paint.color": "red", "paint.coats": 3}


@pytest.mark.parametrize("group", GROUPS)
def test_every_field_that_an_option_sets_is_one_of_the_settings(group: type) -> None:
    fields = overrides(group())
    assert fields
    for name in fields:
        section: Any = Settings
        for part in name.split("."):
            assert part in section.model_fields, name
            section = section.model_fields[part].annotation


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("precision", get_args(PrecisionName)),
        ("motion_gate", get_args(MotionGate)),
        ("enhance", get_args(Enhance)),
    ],
)
def test_choices_are_those_of_the_settings(field: str, choices: tuple[str, ...]) -> None:
    option = f"--{field.replace('_', '-')}"
    done = CliRunner().invoke(app, ["run", "x.mp4", "--out", "x", option, "nonsense"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    named = ", ".join(map(repr, choices))
    assert f"'{option}': Value error, 'nonsense' is not one of {named}." in done.output
    settings = [WorkerSettings.model_validate({field: choice}) for choice in choices]
    assert tuple(getattr(one, field) for one in settings) == choices
    assert WorkerSettings.model_fields[field].default in choices


def test_engine_option_lists_the_built_in_engines_and_refuses_unknown_ones() -> None:
    shown = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200"}).output
    assert f"[{'|'.join(get_args(EngineName))}]" in shown
    done = CliRunner().invoke(app, ["run", "x.mp4", "--out", "x", "--engine", "warp"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert f"'warp' is not one of {', '.join(map(repr, get_args(EngineName)))}." in done.output


def test_commands_that_infer_offer_every_option_of_the_network_but_those_of_a_camera() -> None:
    command: Any = get_command(app)
    offered = {name: {one.name for one in command.commands[name].params} for name in ("run", "work", "image")}
    network = set(NetworkOptions.__dataclass_fields__)
    assert network <= offered["run"]
    assert network - {"infer_fps", "motion_gate", "enhance"} <= offered["work"]
    assert network - {"infer_fps", "motion_gate"} <= offered["image"]


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """The help of each command and each group of commands, by its words."""

    def below(shown: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, one in getattr(shown, "commands", {}).items():
            yield from below(one, (*words, name))

    def text(words: tuple[str, ...]) -> str:
        with redirect_stdout(StringIO()) as printed:
            command().main([*words, "--help"], standalone_mode=False)
        return printed.getvalue()

    return {" ".join(words): text(words) for words in below(command(), ())}


def test_help_shows_no_types_of_python(helps: dict[str, str]) -> None:
    assert len(helps) > 20
    for name, text in helps.items():
        assert "Usage" in text, name
        assert not re.findall(r"<(?:bool|str|int|float|path|list|file)\b", text), name


def test_switches_stand_alone_and_options_name_their_value(helps: dict[str, str]) -> None:
    assert re.search(r"--json +Print JSON", helps["run"])
    assert re.search(r"--out +-o +DIR", helps["run"])
