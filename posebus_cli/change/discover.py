"""`posebus camera discover`: find the ONVIF cameras of the local networks, and the commands that add them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.config.redaction import harmless, redact_url
from posebus.errors import PoseBusError, SourceUnavailable
from posebus_cli.change.login import PasswordFileOption, UserOption, read_password
from posebus_cli.options.groups import JsonOption

if TYPE_CHECKING:
    from ingest.discovery.onvif import StreamProfile
    from ingest.discovery.probe import Device

AT_ONCE = 8
HOST_PATTERN = re.compile(r"[\w.-]{1,253}(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Found:
    """A device, with its streams if they were asked for; problem: why there are none."""

    device: Device
    profiles: tuple[StreamProfile, ...] = ()
    problem: str | None = None


def discover(
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Ask only this device, which may be in another network."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=60.0, help="Wait so long for answers.")
    ] = 3.0,
    user: UserOption = None,
    password_file: PasswordFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find ONVIF cameras in the networks of this machine, and print the command that adds each of their streams.

    With --user, each camera is asked for its streams. Its password goes to every device that answers, as a digest; for
    one camera alone, name it with --host. Exits with 1 if no device answers, or none tells its streams.
    """
    password = read_password(user, password_file)
    devices = _devices(host, timeout)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda device: _with_streams(device, user, password), devices))
    if as_json:
        print(json.dumps([_as_dict(one) for one in found], indent=2))
    else:
        for line in _lines(found, user):
            print(line)
    if all(one.problem is not None for one in found):
        raise typer.Exit(1)


def _devices(host: str | None, timeout_s: float) -> list[Device]:
    """The devices that answer. Raises SourceUnavailable, with what to check, if none does."""
    from ingest.discovery.probe import Device, discover, local_addresses

    if host is not None:
        if not HOST_PATTERN.fullmatch(host):
            raise typer.BadParameter("--host takes the address of a device, like 192.0.2.10 or 192.0.2.10:8080")
        # Asked directly: its discovery may be switched off, and does not pass between networks.
        return [Device(host.partition(":")[0], address=f"http://{host}/onvif/device_service")]
    addresses = local_addresses()
    devices = discover(addresses, timeout_s)
    if not devices:
        raise SourceUnavailable(
            f"no ONVIF device has answered within {timeout_s:g} s from the networks of {', '.join(addresses)}: ONVIF "
            "must be switched on in the camera, a firewall must let UDP of port 3702 in, and a switch must pass "
            "multicast; devices in other networks do not hear the question, name one with --host ADDRESS"
        )
    return devices


def _with_streams(device: Device, user: str | None, password: str | None) -> Found:
    from ingest.discovery.onvif import OnvifDevice

    if user is None:
        return Found(device)
    if device.address is None:
        return Found(device, problem="it names no service at its own address, so no password is sent to it")
    try:
        profiles = OnvifDevice(device.address, user, password).profiles()
    except PoseBusError as error:
        return Found(device, problem=str(error))
    return Found(device, tuple(profiles), None if profiles else "it offers no streams")


def _lines(found: Sequence[Found], user: str | None) -> Iterator[str]:
    names = _names(found)
    for one, name in zip(found, names, strict=True):
        device = one.device
        about = ", ".join(filter(None, [device.name, device.hardware, device.location])) or "it tells no name"
        yield harmless(f"{device.host}  {about}  {device.address or 'without a service at this address'}")
        if one.problem is not None:
            yield harmless(f"    {one.problem}")
        for profile in one.profiles:
            yield harmless(f"    {_described(profile)}")
            yield f"        {_command(name, profile.address, user)}"
    if user is None and found:
        yield "with --user NAME, each is asked for its streams"


def _described(profile: StreamProfile) -> str:
    size = "" if profile.size_px is None else f"{profile.size_px[0]}x{profile.size_px[1]}"
    rate = "" if profile.fps is None else f"{profile.fps:g} fps"
    return " ".join(filter(None, [f"{profile.name}:", size, profile.encoding, rate]))


def _command(name: str, address: str, user: str | None) -> str:
    """The command that adds a stream, for a shell. Part of an address may be a key, which is hidden."""
    shown = redact_url(address)
    login = "" if user is None else f" --user {shlex.quote(harmless(user, 100))}"
    hidden = "" if shown == address else "  # *** hides what may be a key: see the settings of the camera"
    return f"posebus camera add {name} {shlex.quote(harmless(shown, 600))}{login}{hidden}"


def _names(found: Sequence[Found]) -> list[str]:
    """A name for each camera: from its own, or its address; each only once."""
    from recordings.inputs import UniqueNames

    names = UniqueNames()
    chosen = []
    for one in found:
        name = re.sub(r"[^a-z0-9]+", "-", one.device.name.lower()).strip("-")[:40].strip("-")
        chosen.append(names.take(name or f"camera-{re.sub(r'[^0-9a-z]+', '-', one.device.host.lower())}"))
    return chosen


def _as_dict(one: Found) -> dict[str, Any]:
    device = one.device
    return {
        "host": device.host,
        "name": device.name,
        "hardware": device.hardware,
        "location": device.location,
        "address": device.address,
        "problem": one.problem,
        "streams": [
            {
                "name": profile.name,
                "source": redact_url(profile.address),
                "encoding": profile.encoding,
                "size_px": profile.size_px,
                "fps": profile.fps,
            }
            for profile in one.profiles
        ],
    }
