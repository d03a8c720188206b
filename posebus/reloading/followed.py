"""The settings of a running process: they follow the configuration file, and values that are set on top of it."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from posebus.config.loading import check_settings, describe
from posebus.config.settings import Settings
from posebus.errors import ConfigError
from posebus.reloading.difference import Change, Difference, difference, fixed_changes, with_fixed_of
from posebus.reloading.overrides import LiveOverrides
from posebus.reloading.watched_file import SETTLED_S, WatchedFile

EMPTY = "is empty, which changes nothing: write the settings into it, or stop posebus to stop its cameras"
UNREADABLE = "the settings stay as they are until it is back"


@dataclass(frozen=True, slots=True)
class Update:
    """What came of a changed file, of a reload that was asked for, or of overrides.

    settings: in force from now on. before: in force until now. difference: what to do, empty if nothing changes.
    fixed: changes that need a restart; they are not in `settings`. problem: what is wrong with the file, with its
    lines; then nothing changes.
    """

    settings: Settings
    before: Settings
    difference: Difference
    fixed: tuple[Change, ...] = ()
    problem: str | None = None


class FollowedSettings:
    """`settings` are in force. `poll` several times a second, from the loop that applies them; no method is slow.

    Who applies an update only in part sets `settings` to what really is in force.
    """

    def __init__(
        self,
        path: Path | None,
        environ: Mapping[str, str],
        overrides: Mapping[str, object],
        *,
        settled_s: float = SETTLED_S,
    ) -> None:
        """Load the settings as `posebus.config.loading.load_settings` does. Raises ConfigError with all problems.

        settled_s: 0 for a file that is always replaced as a whole.
        """
        self.path = path
        self._environ = dict(environ)
        self._overrides = dict(overrides)
        self._live = LiveOverrides()
        self._file = None if path is None else _watched(path, settled_s)
        self._known = self._content
        """The content of the last valid file."""
        self.settings = self._given = self._load(self._known, self._live)
        self._in_file = tuple(self.settings.cameras)
        self._reported_fixed: tuple[Change, ...] = ()
        self._missing_reported = False
        self._broken = False
        self._reload_wanted = self._overrides_changed = False

    @property
    def can_change(self) -> bool:
        """Whether there is a file that can be read again; a pipe cannot."""
        return self._file is not None and self._file.can_change

    def add(self, overrides: Mapping[str, object]) -> None:
        """Add overrides that depend on the first settings, before these are followed; None means not given.

        The file is not read again. Raises ConfigError with all problems.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        if given:
            self._overrides |= given
            self.settings = self._given = self._load(self._known, self._live)
            self._in_file = tuple(self.settings.cameras)

    def pin(self, **values: object) -> None:
        """Use these values of settings that need a restart, as the address of a broker that was started for us."""
        self.settings = self.settings.model_copy(update=values)

    def request_reload(self) -> None:
        """Read the file at the next `poll` and return an update in any case. Safe in a signal handler."""
        self._reload_wanted = True

    def set_overrides(self, values: Mapping[str, object]) -> None:
        """Set values on top of the file, by dotted field, until this process ends; the next `poll` returns the update.

        None withdraws one; see `LiveOverrides.with_values` for cameras. Raises ConfigError, and then changes nothing.
        """
        live = self._live.with_values(values, self.settings.cameras)
        live = live.without_unknown_cameras(self._in_file)
        self._load(self._known, live)
        self._live, self._overrides_changed = live, True

    def poll(self, now_s: float) -> Update | None:
        """Return what has changed since the last call, if anything has; `now_s` is monotonic."""
        asked, self._reload_wanted = self._reload_wanted, False
        content = None if self._file is None else self._file.poll(now_s, at_once=asked)
        if content is not None:
            return self._read(content, asked=asked)
        if self._file is not None and self._file.problem is not None:
            if not self._missing_reported or asked:
                self._missing_reported = self._broken = True
                return self._refuse(f"{self.path} {self._file.problem}: {UNREADABLE}")
        elif self._missing_reported:
            self._missing_reported = False
            return self._read(self._content, asked=True)
        if self._overrides_changed or asked:
            return self._adopt(self._known, asked=asked)
        return None

    @property
    def _content(self) -> bytes | None:
        return None if self._file is None else self._file.content

    def _read(self, content: bytes | None, *, asked: bool) -> Update | None:
        was_broken, self._broken = self._broken, False
        self._missing_reported = False
        if content is not None and not content.strip():
            self._broken = True
            return self._refuse(f"{self.path} {EMPTY}")
        try:
            return self._adopt(content, asked=asked or was_broken)
        except ConfigError as error:
            self._broken = True
            return self._refuse(str(error))

    def _adopt(self, content: bytes | None, *, asked: bool) -> Update | None:
        """Put `content` and the overrides into force; None if nothing changes and it was not asked for."""
        self._overrides_changed = False
        plain = self._load(content, LiveOverrides())
        self._known, self._in_file = content, tuple(plain.cameras)
        self._live = self._live.without_unknown_cameras(self._in_file)
        given = plain
        if self._live:
            try:
                given = self._load(content, self._live)
            except ConfigError:  # they do not suit the new file, so they end
                self._live = LiveOverrides()
        before, self.settings = self.settings, with_fixed_of(self.settings, given)
        fixed = fixed_changes(self._given, given)
        new_fixed = tuple(change for change in fixed if change not in self._reported_fixed)
        self._reported_fixed = fixed
        found = difference(before, self.settings)
        if not (found or new_fixed or asked):
            return None
        return Update(self.settings, before, found, new_fixed)

    def _refuse(self, problem: str) -> Update:
        return Update(self.settings, self.settings, Difference(), problem=problem)

    def _load(self, content: bytes | None, live: LiveOverrides) -> Settings:
        checked = check_settings(self.path, self._environ, {**self._overrides, **live.for_loading()}, content)
        if checked.settings is None:
            raise ConfigError(describe(checked.problems))
        return live.without_removed(checked.settings)


def _watched(path: Path, settled_s: float) -> WatchedFile:
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            raise ConfigError(f"configuration file {path} cannot be read: it is a folder")
        return WatchedFile(path, settled_s)
    except FileNotFoundError:
        raise ConfigError(f"configuration file {path} does not exist: check the path") from None
    except OSError as error:
        raise ConfigError(f"configuration file {path} cannot be read: {error.strerror}") from None
