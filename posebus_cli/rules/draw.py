"""`posebus rules draw`: a rule from points on a picture, as YAML and drawn."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.plain_text import plain
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import ConfigOnly, PictureNetworkOptions, PrivacyOption
from posebus_cli.options.settings import camera_of, settings_from
from posebus_cli.options.yaml_values import yaml_value

if TYPE_CHECKING:
    from posebus.config.settings import CameraSettings, Settings

_PAIR = re.compile(r"(\d+(?:\.\d+)?|\.\d+),(\d+(?:\.\d+)?|\.\d+)", re.ASCII)
DEFAULT_FILE = "rules.png"


@dataclass(frozen=True, slots=True)
class NewRule:
    """The new rule, and what becomes of it."""

    name: Annotated[str, typer.Option("--name", metavar="RULE", help="Name of the new rule.")] = "new"
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="Its kind. (default: line for two points, else zone)")
    ] = None
    points: Annotated[
        str | None,
        typer.Option(
            "--points",
            metavar="'X,Y X,Y …'",
            help="Its points in pixels of the picture, or in parts of its width and height from 0 to 1. Without them "
            "the picture has a grid to read points from.",
        ),
    ] = None
    fields: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A field of the rule, like dwell_s=30; may be repeated."),
    ] = None
    save: Annotated[
        bool, typer.Option("--save", help="Write the rule into the configuration file; what runs with it follows.")
    ] = False
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The picture with the rules.")] = Path(
        DEFAULT_FILE
    )


@grouped
def draw(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE", help="A picture, a video or a camera's address. (default: the source of --camera)"
        ),
    ] = None,
    *,
    new: NewRule,
    deployment: ConfigOnly,
    camera: Annotated[
        str | None,
        typer.Option("--camera", metavar="NAME", help="The camera of the configuration; its rules are drawn as well."),
    ] = None,
    network: Annotated[PictureNetworkOptions, Offer(first=("imgsz",), without=("infer_fps", "motion_gate", "masks"))],
    privacy: PrivacyOption = None,
) -> None:
    """Make a rule from points on a picture: it is checked, drawn into the picture, and printed as YAML.

    Heads in the picture are blurred, unless --privacy or the camera says none.
    """
    from posebus.config.rules.reading import rules_to_json
    from posebus.errors import ConfigError
    from recordings.interrupts import interruptible
    from tracking.rules import Rules

    settings = settings_from(deployment, network)
    chosen = None if camera is None else camera_of(settings, camera)
    if new.save and (camera is None or deployment.config is None or new.points is None):
        raise ConfigError("--save needs -c FILE, --camera NAME and --points")
    rule = None if new.points is None else _rule(new)
    with interruptible():
        added = {new.name: rule} if rule else {}
        size_px = _write_picture(settings, _source(source, chosen), added, new.out, privacy)
    if rule is None:
        print(plain(f"{new.out}: read points from its grid and give them with --points 'X,Y X,Y …'"))
        return
    Rules({new.name: rule}, camera or "camera", size_px)
    print("rules:")
    print(plain(f"  {new.name}: {_yaml(rule)}"))
    print(plain(f"drawn in {new.out}"))
    if new.save and deployment.config is not None and camera is not None:
        before = {} if chosen is None else rules_to_json(chosen.rules)
        _save(deployment.config, camera, new.name, rule, before)


def _rule(new: NewRule) -> dict[str, Any]:
    """Return the rule as plain values; whether they suit its kind is checked later. Raises ConfigError."""
    from posebus.config.rules.reading import read_rules
    from posebus.errors import ConfigError

    assert new.points is not None
    pairs = [_PAIR.fullmatch(word) for word in new.points.replace(";", " ").split()]
    if not pairs or None in pairs:
        raise ConfigError(
            f"--points {plain(new.points)!r}: write X,Y for each point with spaces between, like '10,20 300,20'"
        )
    numbers = [[yaml_value(text) for text in pair.groups()] for pair in pairs if pair is not None]
    rule: dict[str, Any] = {"kind": new.kind or ("line" if len(numbers) == 2 else "zone"), "points": numbers}
    for field in new.fields or []:
        key, equals, value = field.partition("=")
        if not key or not equals or key in rule:
            raise ConfigError(f"--set {plain(field)!r}: write FIELD=VALUE with a field of the rule, like dwell_s=30")
        rule[key] = yaml_value(value)
    read_rules({new.name: rule})
    return rule


def _source(source: str | None, camera: CameraSettings | None) -> CameraSettings:
    from posebus.config.settings import CameraSettings
    from posebus.errors import ConfigError

    if source is None and camera is None:
        raise ConfigError(
            "no picture is given: name a SOURCE, or a camera of a configuration with -c FILE --camera NAME"
        )
    if camera is None:
        return CameraSettings(source=source or "")
    return camera if source is None else camera.model_copy(update={"source": source, "kind": "auto"})


def _write_picture(
    settings: Settings, source: CameraSettings, new: Mapping[str, Any], out: Path, privacy: Any
) -> tuple[int, int]:
    """Write the picture with the rules; returns its (width, height). Raises PoseBusError."""
    import cv2

    from posebus.config.rules.reading import rules_to_json
    from posebus.errors import OutputError
    from posebus_cli.analyse.source_picture import picture_of_source
    from recordings.results.files import write_at_once
    from recordings.results.rule_shapes import draw_grid, draw_rules
    from recordings.results.video import Style

    if not out.parent.is_dir():
        raise OutputError(f"there is no folder {out.parent} for the picture; choose another file with --out")
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise OutputError(f"--out {out}: the name must end in .png, .jpg, .jpeg or .webp")
    picture = picture_of_source(settings, source, Style(privacy=privacy or source.privacy))
    if not new:
        draw_grid(picture.image_bgr, picture.size_px)
    draw_rules(picture.image_bgr, {**rules_to_json(source.rules), **new}, picture.size_px, tuple(new))
    write_at_once(out, cv2.imencode(out.suffix.lower(), picture.image_bgr)[1].tobytes())
    return picture.size_px


def _yaml(rule: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(rule), default_flow_style=True, sort_keys=False, width=10_000).strip()


def _save(file: Path, camera: str, name: str, rule: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Write the rule into the file, whose comments stay. Raises ConfigError."""
    from posebus.config.editing.config_file import change_file
    from posebus.config.editing.yaml_edits import Edit

    value = dict(rule) if before else {name: dict(rule)}
    path = ("cameras", camera, "rules", name) if before else ("cameras", camera, "rules")
    change_file(file, lambda _: [Edit(path, value)], os.environ)
    print(plain(f"{file} is saved; what runs with it follows"))
