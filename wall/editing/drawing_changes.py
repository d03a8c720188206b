"""Saving a drawing: only what differs is written, unless another person has changed it meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from posebus.changing.targets import Running
from posebus.changing.wanted import WantedChange
from posebus.config.editing.yaml_edits import REMOVED, Edit
from posebus.config.loading import Checked, describe
from posebus.config.problems import FieldPath
from posebus.control.messages import DeploymentStatus
from posebus.errors import ConfigError, RetryableError
from posebus.telemetry.camera_state import SWITCHED_OFF
from wall.editing.answers import Refused
from wall.editing.drawing import GROUND_FIELDS, Drawing, differences, drawing_of, for_page
from wall.editing.target import unknown


class EditedMeanwhile(Refused):
    """Another person has changed the drawing since the page read it. `theirs` is how it is now."""

    def __init__(self, camera: str, base: Drawing | None, theirs: Drawing) -> None:
        changes = "" if base is None else "; ".join(differences(base, theirs))
        told = f": they {changes}" if changes else ""
        super().__init__(
            409,
            f"somebody else has changed the drawing of {camera} meanwhile{told}. Nothing of yours is lost or saved",
            theirs=for_page(theirs, camera),
        )


def drawing_saved(
    camera: str, wanted: Drawing, revision: str, base: Drawing | None, announced: Callable[[], Drawing | None]
) -> WantedChange:
    """The change that saves `wanted`, which a page made of the drawing `base` with `revision`.

    announced: returns the drawing that trackers get now; it raises RetryableError where the broker does not answer.
    Raises EditedMeanwhile while it is carried out if the file has another drawing by now.
    """

    def edits(checked: Checked) -> Sequence[Edit]:
        if checked.settings is None:
            raise ConfigError(f"the file has mistakes already; correct them first: {describe(checked.problems)}")
        if camera not in checked.settings.cameras:
            raise unknown(camera, checked.settings.cameras)
        now = drawing_of(checked.settings.cameras[camera])
        if now.revision != revision:
            raise EditedMeanwhile(camera, base, now)
        home = ("cameras", camera)
        return [*_rule_edits(home, now, wanted, checked), *_ground_edits(home, now, wanted, checked)]

    def overrides(running: Running) -> Mapping[str, object]:
        if camera not in running.cameras:
            raise unknown(camera, running.cameras)
        return {
            f"cameras.{camera}.rules": {name: dict(rule) for name, rule in wanted.rules.items()},
            f"cameras.{camera}.ground": wanted.ground,
        }

    def outcome(status: DeploymentStatus) -> tuple[str, bool]:
        state = next((one.state for one in status.cameras if one.name == camera), None)
        if state in SWITCHED_OFF:
            return "in force as soon as the camera is read again", True
        try:
            is_done = announced() == wanted
        except RetryableError:
            return "in force as soon as the broker answers", True
        return ("in force{after}", True) if is_done else ("not in force yet", False)

    return WantedChange(edits, overrides, {f"the drawing of {camera}": outcome})


def _rule_edits(home: FieldPath, now: Drawing, wanted: Drawing, checked: Checked) -> Iterator[Edit]:
    place = (*home, "rules")
    if now.rules == wanted.rules:
        return
    if not checked.in_file(place):
        # None so far, or those of `defaults`, which others have as well.
        yield Edit(place, {name: dict(rule) for name, rule in wanted.rules.items()})
        return
    for name in now.rules:
        if name not in wanted.rules:
            yield Edit((*place, name), REMOVED)
    for name, rule in wanted.rules.items():
        old = now.rules.get(name)
        if old is None or old["kind"] != rule["kind"]:
            yield Edit((*place, name), dict(rule))
        elif old != rule:
            yield from _field_edits((*place, name), old, rule)


def _ground_edits(home: FieldPath, now: Drawing, wanted: Drawing, checked: Checked) -> Iterator[Edit]:
    place = (*home, "ground")
    if now.ground == wanted.ground:
        return
    if wanted.ground is None:
        yield Edit(place, REMOVED if not checked.in_file(("defaults", "ground")) else None)
    elif now.ground is None or not checked.in_file(place):
        yield Edit(place, {name: wanted.ground[name] for name in GROUND_FIELDS if name in wanted.ground})
    else:
        yield from _field_edits(place, now.ground, wanted.ground)


def _field_edits(place: FieldPath, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Edit]:
    for name in {**old, **new}:
        if name not in new:
            yield Edit((*place, name), REMOVED)
        elif old.get(name) != new[name]:
            yield Edit((*place, name), new[name])
