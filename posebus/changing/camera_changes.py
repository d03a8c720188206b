"""The changes of cameras: what is written, what is set over the file, when it is done. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from posebus.changing.outcome import Outcome, camera_paused, camera_removed, camera_runs
from posebus.changing.targets import Running
from posebus.changing.wanted import WantedChange
from posebus.config.editing.yaml_edits import REMOVED, Edit
from posebus.config.loading import Checked, describe
from posebus.config.redaction import harmless
from posebus.errors import ConfigError
from posebus.wording import did_you_mean


def added(name: str, fields: Mapping[str, object]) -> WantedChange:
    """A new camera with these fields."""

    def need_none(cameras: Iterable[str], where: str) -> None:
        if name in cameras:
            raise ConfigError(f"there is a camera {name!r} in {where} already: change it with 'posebus camera set'")

    def edits(checked: Checked) -> Sequence[Edit]:
        need_none(_cameras(checked), "the file")
        return [Edit(("cameras", name), dict(fields))]

    def overrides(running: Running) -> Mapping[str, object]:
        need_none(running.cameras, "the running deployment")
        return {f"cameras.{name}": dict(fields)}

    return WantedChange(edits, overrides, {name: camera_runs(name)}, may_create=True)


def fields_set(name: str, values: Mapping[str, object]) -> WantedChange:
    """Other values of fields of one camera; REMOVED takes a field out."""

    def edits(checked: Checked) -> Sequence[Edit]:
        if checked.settings is not None:
            _need([name], checked.settings.cameras, "the file")
        return [Edit(("cameras", name, field), value) for field, value in values.items()]

    def overrides(running: Running) -> Mapping[str, object]:
        _need([name], running.cameras, "the running deployment")
        if None in values.values():
            raise ConfigError("null cannot be set without saving it: leave out --no-save, or give a value")
        # Without a value of its own, the running deployment goes back to that of the file.
        return {f"cameras.{name}.{field}": None if value is REMOVED else value for field, value in values.items()}

    return WantedChange(edits, overrides, {name: camera_runs(name)})


def paused(names: Sequence[str], *, is_paused: bool) -> WantedChange:
    """Cameras that are paused or read again."""
    return _for_all(
        names,
        lambda name: Edit(("cameras", name, "paused"), is_paused),
        lambda name: (f"cameras.{name}.paused", is_paused),
        camera_paused if is_paused else camera_runs,
    )


def removed(names: Sequence[str]) -> WantedChange:
    """Cameras that are taken out of the settings."""
    return _for_all(
        names, lambda name: Edit(("cameras", name), REMOVED), lambda name: (f"cameras.{name}", None), camera_removed
    )


def _for_all(
    names: Sequence[str],
    edit: Callable[[str], Edit],
    override: Callable[[str], tuple[str, object]],
    outcome: Callable[[str], Outcome],
) -> WantedChange:
    chosen = list(dict.fromkeys(names))

    def edits(checked: Checked) -> Sequence[Edit]:
        _need(chosen, _cameras(checked), "the file")
        return [edit(name) for name in chosen]

    def overrides(running: Running) -> Mapping[str, object]:
        _need(chosen, running.cameras, "the running deployment")
        return dict(override(name) for name in chosen)

    return WantedChange(edits, overrides, {name: outcome(name) for name in chosen})


def _cameras(checked: Checked) -> Iterable[str]:
    if checked.settings is None:
        raise ConfigError(f"the file has mistakes already; correct them first: {describe(checked.problems)}")
    return checked.settings.cameras


def _need(names: Sequence[str], cameras: Iterable[str], where: str) -> None:
    known = list(cameras)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are: {', '.join(known[:20]) or 'none'}"
            raise ConfigError(f"there is no camera {harmless(name, 70)!r} in {where}; {hint}")
