"""What is drawn on the picture of a camera: its rules and its ground plane, as a page has them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from posebus.config.cameras.camera_settings import CameraSettings
from posebus.config.cameras.ground import GroundSettings
from posebus.config.editing.yaml_edits import Edit, edited
from posebus.config.loading import check_settings
from posebus.config.rules.kinds import KINDS
from posebus.config.rules.reading import rules_to_json
from wall.editing.answers import Refused

GROUND_FIELDS = ("points", "metres", "floor_size_m")
_OWN = frozenset({"kind", "points"})


@dataclass(frozen=True, slots=True)
class Drawing:
    """Rules by name and the ground plane, as plain values of the configuration; fields with defaults are left out."""

    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ground: Mapping[str, Any] | None = None

    @property
    def revision(self) -> str:
        """A short text that is another one for each drawing."""
        text = json.dumps([self.rules, self.ground], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]


def drawing_of(camera: CameraSettings) -> Drawing:
    """Return the drawing in the settings of a camera."""
    ground = None if camera.ground is None else _ground_values(camera.ground)
    return Drawing({name: _plain(rule) for name, rule in rules_to_json(camera.rules).items()}, ground)


def for_page(drawing: Drawing, camera: str) -> dict[str, object]:
    """Return the drawing as a page gets it."""
    rules = [
        {
            "name": name,
            "kind": rule["kind"],
            "shape": shape_of(str(rule["kind"]), rule.get("points")),
            "points": rule.get("points"),
            "settings": {key: value for key, value in rule.items() if key not in _OWN},
        }
        for name, rule in drawing.rules.items()
    ]
    return {"revision": drawing.revision, "rules": rules, "ground": drawing.ground, "yaml": as_text(drawing, camera)}


def shape_of(kind: str, points: object) -> str | None:
    """Return what a rule is on the picture: a line, a polygon, or nothing."""
    if kind == "line":
        return "line"
    return "polygon" if points is not None or kind in KINDS else None


def from_page(body: Mapping[str, Any]) -> Drawing:
    """Return the drawing that a page sent, unchecked apart from its form. Raises Refused."""
    given, ground = body["rules"], body["ground"]
    if not isinstance(given, list):
        raise Refused(400, "rules must be a list", path="rules")
    rules: dict[str, dict[str, Any]] = {}
    for rule in given:
        name, values = _rule(rule)
        if name in rules:
            raise Refused(400, f"two rules have the name {name!r}: give each a name of its own", path=f"rules.{name}")
        rules[name] = values
    if ground is not None and (not isinstance(ground, dict) or not set(ground) <= set(GROUND_FIELDS)):
        raise Refused(400, f"ground must hold {', '.join(GROUND_FIELDS)} and nothing else", path="ground")
    return Drawing(rules, None if ground is None else {key: _plain(value) for key, value in ground.items()})


def _rule(rule: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(rule, dict) or not isinstance(rule.get("name"), str) or not isinstance(rule.get("kind"), str):
        raise Refused(400, "a rule must have a name and a kind", path="rules")
    unexpected = set(rule) - {"name", "kind", "shape", "points", "settings"}
    settings = rule.get("settings", {})
    if unexpected or not isinstance(settings, dict) or _OWN & set(settings):
        raise Refused(400, "a rule must have name, kind, points and settings, and nothing else", path="rules")
    values = {"kind": rule["kind"]}
    if rule.get("points") is not None:
        values["points"] = _plain(rule["points"])
    return rule["name"], {**values, **{key: _plain(value) for key, value in settings.items()}}


def problems_of(drawing: Drawing, name: str, camera: CameraSettings) -> tuple[list[dict[str, str]], Drawing | None]:
    """Return what is wrong with a drawing, by field; and it in the form in which it is compared, if nothing is.

    Each is checked with all other settings of the camera, since some rules need others of its fields.
    """
    values = camera.model_dump(mode="json") | {"rules": drawing.rules, "ground": drawing.ground}
    checked = check_settings(None, {}, {"cameras": {name: values}})
    if checked.settings is not None:
        return [], drawing_of(checked.settings.cameras[name])
    begin = f"cameras.{name}."
    found = []
    for problem in checked.problems:
        where = problem.location.field
        told = f"{problem.problem}; {problem.suggestion}" if problem.suggestion else problem.problem
        found.append({"path": where.removeprefix(begin) if where.startswith(begin) else "", "sentence": told})
    return found, None


def as_text(drawing: Drawing, camera: str) -> str:
    """Return the drawing as YAML to be copied into a configuration file."""
    text = ""
    if drawing.rules:
        text = edited(
            text, Edit(("cameras", camera, "rules"), {name: dict(rule) for name, rule in drawing.rules.items()})
        )
    if drawing.ground is not None:
        text = edited(text, Edit(("cameras", camera, "ground"), dict(drawing.ground)))
    return text


def differences(before: Drawing, after: Drawing) -> Iterator[str]:
    """Say what is different in `after`, as the rest of a sentence about another person's change."""
    for name, rule in after.rules.items():
        old = before.rules.get(name)
        if old is None:
            yield f"added {rule['kind']} {name}"
        elif old != rule:
            what = [key for key in {**old, **rule} if old.get(key) != rule.get(key)]
            yield f"changed {', '.join(what)} of {name}"
    for name in before.rules:
        if name not in after.rules:
            yield f"removed {name}"
    if before.ground != after.ground:
        verb = "added" if before.ground is None else "removed" if after.ground is None else "changed"
        yield f"{verb} the ground points"


def _ground_values(ground: GroundSettings) -> dict[str, Any]:
    return {key: _plain(value) for key, value in ground.model_dump(mode="json", exclude_defaults=True).items()}


def _plain(value: Any) -> Any:
    """Whole numbers as such, as people write them; the rest as it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
