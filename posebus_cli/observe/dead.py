"""`posebus dead`: list, show, retry and drop dead letters, the frames that could not be processed."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.plain_text import plain
from posebus.wording import counted, local_time
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from posebus.bus.dead_letters import DeadLetter, DeadLetters, RetryResult
    from posebus.messages import Frame

dead_app = typer.Typer(
    no_args_is_help=True, help="Show, retry or drop dead letters: frames that could not be processed."
)

REASON_WIDTH = 70

_IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of a dead letter, as in 'posebus dead list'.")]
_IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Ids of dead letters, as in 'posebus dead list'.")
]
_AllOption = Annotated[bool, typer.Option("--all", help="All dead letters; with --camera, all of that camera.")]
_CameraOption = Annotated[
    str | None, typer.Option("--camera", metavar="NAME", help="Only dead letters of this camera.")
]


@dead_app.command("list")
@grouped
def list_letters(
    deployment: DeploymentOptions,
    camera: _CameraOption = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Show at most the newest N.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, the newest first, with the reason of each."""
    letters, where = _open(deployment)
    newest = letters.newest(camera)
    found = sorted(islice(newest, limit) if camera else newest, key=lambda letter: letter.at_ns, reverse=True)[:limit]
    if as_json:
        print(json.dumps([_summary(letter) for letter in found], indent=2))
        return
    if not found:
        print(f"no dead letters {'of camera ' + plain(camera) + ' ' if camera else ''}at {where}")
        return
    print(f"{'id':<20}  {'camera':<16}  {'frame':<10}  {'when':<19}  reason")
    for letter in found:
        print(
            f"{letter.entry_id:<20}  {letter.camera:<16}  {_frame_text(letter):<10}  {_when(letter):<19}  "
            f"{_shortened(letter.reason)}"
        )


@dead_app.command("show")
@grouped
def show(
    letter_id: _IdArgument,
    deployment: DeploymentOptions,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the picture into this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter: its frame, its reason and the attempts of the workers."""
    letters, where = _open(deployment)
    letter = _find(letters, where, letter_id)
    summary = _summary(letter)
    if as_json:
        print(json.dumps(summary, indent=2))
    else:
        width = max(len(name) for name in summary)
        for name, value in summary.items():
            if name != "attempts":
                print(f"{name:<{width}}  {value}")
        for attempt in letter.attempts:
            print(f"{'attempt':<{width}}  {_time_text(attempt.at_ns)}  {attempt.worker}: {attempt.outcome}")
    if out is not None:
        _write_picture(letter, out)
        if not as_json:
            print(f"{'written to':<{width}}  {plain(str(out))}")


@dead_app.command("retry")
@grouped
def retry(
    ids: _IdsArgument = None,
    *,
    deployment: DeploymentOptions,
    everything: _AllOption = False,
    camera: _CameraOption = None,
    wait_s: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0.0, help="How long to wait for the result of each frame.")
    ] = 60.0,
) -> None:
    """Give dead letters back to the workers, and show the result of each.

    Each frame is inferred alone, so that it cannot harm others. Its poses come too late for the tracker, which has
    continued without the frame. Exits with 1 unless all of them were processed.
    """
    from posebus.errors import MalformedMessage
    from posebus.runtime.failures import complain

    letters, where = _open(deployment)
    failed = False
    for letter in _chosen(letters, where, ids, camera, everything=everything):
        name = f"{letter.entry_id} ({letter.camera} {_frame_text(letter)})"
        if not letters.knows(letter.camera):
            complain(f"{name} stays: the camera {letter.camera!r} no longer exists, so no worker reads its frames")
            failed = True
            continue
        try:
            outcome = letters.retry(letter, wait_s)
        except MalformedMessage as error:
            complain(f"{name} stays: {error}; 'posebus dead show' shows its fields")
            failed = True
            continue
        failed |= outcome.kind not in {"seen", "answered"}
        print(f"{name}: {_outcome_text(outcome, wait_s)}", flush=True)
    if failed:
        raise typer.Exit(1)


@dead_app.command("drop")
@grouped
def drop(
    ids: _IdsArgument = None,
    *,
    deployment: DeploymentOptions,
    everything: _AllOption = False,
    camera: _CameraOption = None,
) -> None:
    """Delete dead letters."""
    letters, where = _open(deployment)
    chosen = _chosen(letters, where, ids, camera, everything=everything)
    for letter in chosen:
        letters.drop(letter)
    print(f"{counted(len(chosen), 'dead letter')} dropped")


def _open(deployment: DeploymentOptions) -> tuple[DeadLetters, str]:
    from posebus.bus.dead_letters import DeadLetters
    from posebus.bus.redis.connection import open_broker

    settings = settings_from(deployment)
    broker = open_broker(broker_address(settings), settings.shards)
    return DeadLetters(broker), broker.where


def _chosen(
    letters: DeadLetters, where: str, ids: list[str] | None, camera: str | None, *, everything: bool
) -> list[DeadLetter]:
    """Return the dead letters to act on, the oldest first. Raises ConfigError if any of the ids is unknown."""
    from posebus.errors import ConfigError

    if bool(ids) == everything:
        raise ConfigError("give either ids, as in 'posebus dead list', or --all")
    if camera is not None and ids:
        raise ConfigError("--camera can only be used with --all, not with ids")
    found = [_find(letters, where, one) for one in dict.fromkeys(ids or [])] or list(letters.newest(camera))
    return sorted(found, key=lambda letter: letter.at_ns)


def _find(letters: DeadLetters, where: str, letter_id: str) -> DeadLetter:
    from posebus.errors import ConfigError

    parts = letter_id.split("-")
    known = len(parts) == 2 and all(part.isdecimal() and len(part) < 20 for part in parts)
    letter = letters.find(letter_id) if known else None
    if letter is None:
        raise ConfigError(f"there is no dead letter {letter_id!r} at {where}; see 'posebus dead list'")
    return letter


def _write_picture(letter: DeadLetter, path: Path) -> None:
    from posebus.errors import OutputError

    frame = letter.frame
    if frame is None or not frame.data or frame.encoding == "shared":
        raise OutputError(f"the dead letter {letter.entry_id} has no picture ({_picture_text(letter)})")
    try:
        path.write_bytes(bytes(frame.data) if frame.encoding == "jpeg" else _ppm(frame))
    except OSError as error:
        raise OutputError(f"the picture cannot be written to {path}: {error.strerror or error}") from error


def _ppm(frame: Frame) -> bytes:
    """Return uncompressed BGR rows as a portable pixmap, which all viewers read, without any change of the pixels."""
    pixels = bytearray(frame.data)
    pixels[0::3], pixels[2::3] = frame.data[2::3], frame.data[0::3]
    return b"P6 %d %d 255\n" % frame.image_size_px + bytes(pixels)


def _summary(letter: DeadLetter) -> dict[str, Any]:
    frame = letter.frame
    return {
        "id": letter.entry_id,
        "camera": letter.camera,
        "epoch": frame.epoch if frame else None,
        "seq": frame.seq if frame else None,
        "delivery": frame.delivery.value if frame else None,
        "captured_at_ns": frame.captured_at_ns if frame else None,
        "put_aside": _time_text(letter.at_ns),
        "by": letter.by,
        "reason": letter.reason,
        "picture": _picture_text(letter),
        "attempts": [
            {"worker": attempt.worker, "at_ns": attempt.at_ns, "outcome": attempt.outcome}
            for attempt in letter.attempts
        ],
    }


def _picture_text(letter: DeadLetter) -> str:
    frame = letter.frame
    kept = plain(letter.fields.get(b"dead_picture", b"").decode(errors="replace"))
    if kept or frame is None:
        return kept or f"none: an entry with the fields {', '.join(_field_names(letter)) or '-'}"
    width_px, height_px = frame.image_size_px
    return f"{frame.encoding}, {width_px}x{height_px}, {counted(len(frame.data), 'byte')}"


def _field_names(letter: DeadLetter) -> list[str]:
    from posebus.bus.dead_letters import OWN

    return [plain(name.decode(errors="replace"), 40) for name in letter.fields if not name.startswith(OWN)]


def _outcome_text(outcome: RetryResult, wait_s: float) -> str:
    if outcome.kind == "seen":
        return f"processed, {counted(outcome.people or 0, 'person')} in it"
    return {
        "answered": "processed",
        "dead": f"dead-lettered again: {outcome.reason}",
        "skipped": f"skipped by the worker: {outcome.reason}",
    }.get(outcome.kind, f"no worker has answered within {wait_s:g} s; the frame is still in the queue")


def _frame_text(letter: DeadLetter) -> str:
    return f"{letter.frame.epoch}:{letter.frame.seq}" if letter.frame else "-"


def _when(letter: DeadLetter) -> str:
    return _time_text(letter.at_ns)


def _time_text(at_ns: int) -> str:
    return local_time(at_ns, "%Y-%m-%d %H:%M:%S")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= REASON_WIDTH else line[: REASON_WIDTH - 1] + "…"
