"""Changing a configuration file: it is checked as a whole first, and replaced at once, or left as it is."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from posebus.config.editing.effects import effects, fields_of
from posebus.config.editing.yaml_edits import Edit, edited
from posebus.config.loading import Checked, check_settings, describe
from posebus.config.problems import FieldPath, SourceLocation
from posebus.config.redaction import redact_url
from posebus.config.settings import Settings
from posebus.config.yamlfile import MAX_FILE_BYTES
from posebus.errors import ConfigError, OutputError

ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class FileChange:
    """What became of a file. is_new: it did not exist; changed: whether a byte of it is different now.

    before: the settings until now, None where they were invalid; after: those in force from now on, with `environ`
    over the file. notes: sentences about fields that are not as the edits say, or that others changed with them.
    """

    is_new: bool
    changed: bool
    before: Settings | None
    after: Settings
    notes: tuple[str, ...]


def change_file(
    path: Path,
    edits: Callable[[Checked], Sequence[Edit]],
    environ: Mapping[str, str],
    *,
    may_create: bool = False,
) -> FileChange:
    """Change fields of the file at `path`; a link is followed, mode and owner stay.

    edits: called with what the file holds now; again where another program changed the file meanwhile. Raises
    ConfigError where the file is no configuration or would be none, OutputError where it cannot be replaced: it is
    unchanged then.
    """
    target = _target(path)
    for _ in range(ATTEMPTS):
        content = _read(target, path, may_create=may_create)
        current = check_settings(None if content is None else path, environ, {}, content)
        wanted = edits(current)
        new = text = (content or b"").decode()
        try:
            for edit in wanted:
                new = edited(new, edit)
        except ConfigError as error:
            raise ConfigError(f"{path} is unchanged: {error}") from None
        changed = content is None or new != text
        after = check_settings(path, environ, {}, new.encode())
        if after.settings is None:
            raise ConfigError(_refusal(path, current, after, wanted))
        if changed and not _replaced(target, content, new, path):
            continue
        notes = effects(wanted, current, after, check_settings(path, {}, {}, new.encode()).settings)
        if changed and _tells_others(target, wanted):
            notes += (f"{path} holds a password now, and other users may read it: chmod 600 {path}",)
        return FileChange(content is None, changed, current.settings, after.settings, notes)
    raise OutputError(f"{path} is changed by another program again and again: try later")


def _tells_others(target: Path, edits: Sequence[Edit]) -> bool:
    """Whether all users may read the file, and an address with a credential was written into it."""
    values = [value for edit in edits for _, value in fields_of(edit)]
    has_secret = any(isinstance(value, str) and redact_url(value) != value for value in values)
    return has_secret and bool(target.stat().st_mode & stat.S_IROTH)


def _target(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"configuration file {path} cannot be found: {error}") from None


def _read(target: Path, shown: Path, *, may_create: bool) -> bytes | None:
    """The content of the file; None where it does not exist and may be created.

    Of a file that is far too large for a configuration, it is enough for `check_settings` to see that.
    """
    try:
        if not stat.S_ISREG(target.stat().st_mode):
            raise ConfigError(f"{shown} is no file: give a configuration file")
        with target.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        if may_create:
            return None
        raise ConfigError(f"configuration file {shown} does not exist: check the path") from None
    except OSError as error:
        raise ConfigError(f"configuration file {shown} cannot be read: {error.strerror}") from None


def _refusal(path: Path, before: Checked, after: Checked, edits: Sequence[Edit]) -> str:
    """Why the edited file would be invalid: fields of the edits by name, mistakes of the file with their lines."""
    mine = tuple(
        replace(problem, location=SourceLocation("", problem.location.field))
        for problem in after.problems
        if any(_is_about(problem.location.field, edit.path) for edit in edits)
    )
    if mine:
        return f"{path} is unchanged: {describe(mine)}"
    mistakes = describe(before.problems or after.problems)
    return f"{path} is unchanged, because it has mistakes already; correct them first: {mistakes}"


def _is_about(field: str, path: FieldPath) -> bool:
    name = ".".join(path)
    return field == name or field.startswith(f"{name}.") or field == f"cameras.{path[-1]!r}"


def _replaced(target: Path, content: bytes | None, new: str, shown: Path) -> bool:
    """Replace the file if it still has this content; returns whether it had."""
    try:
        with _locked(target.parent):
            if content is None:
                if target.exists():
                    return False
                kept = None
            else:
                if target.read_bytes() != content:
                    return False
                kept = target.stat()
                if not os.access(target, os.W_OK):
                    raise OutputError(f"{shown} cannot be changed: this user may only read it")
            with _beside(target, new, shown, kept) as path:
                path.replace(target)
            _flush_folder(target.parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        hint = "; it is a mount of its own: change it where it is mounted from" if error.errno == errno.EBUSY else ""
        raise OutputError(f"{shown} cannot be replaced: {error.strerror}{hint}") from None
    return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Inside, no other command of posebus replaces a file of `folder`, where its file system has locks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _beside(target: Path, text: str, shown: Path, like: os.stat_result | None = None) -> Iterator[Path]:
    """A file with `text` in the folder of `target`, deleted at the end unless it was moved; as owned as `like`.

    Without `like`, only this user can read it, as addresses of cameras hold passwords.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
    except OSError as error:
        raise OutputError(f"{shown} cannot be changed: its folder cannot be written to ({error.strerror})") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            if like is not None:
                _own_like(file.fileno(), like, shown)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _own_like(descriptor: int, like: os.stat_result, shown: Path) -> None:
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(descriptor, like.st_uid, like.st_gid)
        except OSError:
            raise OutputError(f"{shown} belongs to another user or group: change it as its owner") from None
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))


def _flush_folder(folder: Path) -> None:
    """Make the new name of a file survive a loss of power; not all file systems can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
