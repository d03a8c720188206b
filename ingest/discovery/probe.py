"""WS-Discovery: ask all devices of the local networks, by multicast, or one host, which of them are cameras."""

from __future__ import annotations

import fcntl
import select
import socket
import struct
import time
import uuid
from collections.abc import Container, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ingest.discovery.soap_xml import elements, envelope, parse_xml, shown, text_of
from posebus.errors import MalformedMessage, SourceUnavailable

GROUP = "239.255.255.250"
PORT = 3702
TYPES = (
    ("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("http://www.onvif.org/ver10/device/wsdl", "Device"),
)
REPEAT_AFTER_S = 0.3
"""Datagrams get lost, so each probe is sent twice."""
MOST_DEVICES = 1000
MAX_DATAGRAM = 65_535
SIOCGIFADDR = 0x8915
SCOPE = "onvif://www.onvif.org/"


@dataclass(frozen=True, slots=True)
class Device:
    """A device that answered from `host`.

    name, hardware, location: as the device describes itself, for readers; empty where it does not. address: of its
    device service at that host; None where it names only addresses of other hosts, which no password is sent to.
    """

    host: str
    name: str = ""
    hardware: str = ""
    location: str = ""
    address: str | None = None


def local_addresses() -> list[str]:
    """The IPv4 addresses of this machine's network interfaces, one for each."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for _, name in socket.if_nameindex():
            with suppress(OSError):
                data = fcntl.ioctl(one.fileno(), SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                found.append(socket.inet_ntoa(data[20:24]))
    return found


def discover(addresses: Sequence[str], timeout_s: float, host: str | None = None) -> list[Device]:
    """The devices that answer within `timeout_s`, by host; asked from each of `addresses`, or only `host`.

    Raises SourceUnavailable where no network could be asked.
    """
    probes = {f"uuid:{uuid.uuid4()}": kind for kind in TYPES}
    with ExitStack() as stack:
        sockets, problem = [], "this machine has no network"
        for address in addresses if host is None else ["0.0.0.0"]:
            try:
                sockets.append(stack.enter_context(_socket(address, is_multicast=host is None)))
            except OSError as error:
                problem = error.strerror or str(error)
        target = (GROUP if host is None else host, PORT)
        sent = [_send(sockets, probes, target)]
        devices: dict[str, Device] = {}
        start_s = time.monotonic()
        while (elapsed_s := time.monotonic() - start_s) < timeout_s and any(sent):
            if len(sent) == 1 and elapsed_s >= REPEAT_AFTER_S:
                sent.append(_send(sockets, probes, target))
            due_s = REPEAT_AFTER_S if len(sent) == 1 else timeout_s
            readable, _, _ = select.select(sockets, [], [], max(0.0, min(due_s, timeout_s) - elapsed_s))
            for one in readable:
                _receive(one, probes, devices)
    if not any(sent):
        raise SourceUnavailable(f"cameras cannot be searched for: {problem}; check the network of this machine")
    return sorted(devices.values(), key=lambda device: _order(device.host))


def read_match(data: bytes, host: str, asked: Container[str]) -> Device | None:
    """The device in an answer from `host`; None for an answer to none of the questions `asked`, by their message ids.

    Raises MalformedMessage.
    """
    root = parse_xml(data)
    if text_of(root, "Header", "RelatesTo").removeprefix("urn:") not in asked:
        return None
    match = next(elements(root, "ProbeMatch"), None)
    if match is None:
        return None
    scopes = {"name": "", "hardware": "", "location": ""}
    for scope in text_of(match, "Scopes").split():
        kind, _, value = scope.removeprefix(SCOPE).partition("/")
        if scope.startswith(SCOPE) and kind in scopes and value:
            scopes[kind] = scopes[kind] or shown(unquote(value))
    mine = [address for address in text_of(match, "XAddrs").split() if is_service_of(address, host)]
    # Without encryption first: certificates of cameras are signed by themselves, and old ones speak no TLS of today.
    mine.sort(key=lambda address: not address.lower().startswith("http:"))
    return Device(host, **scopes, address=mine[0] if mine else None)


def is_service_of(address: str, host: str) -> bool:
    """Whether `address` is one of HTTP at `host`."""
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and parts.hostname == host and parts.port != 0 and "@" not in address
    except ValueError:
        return False


def _socket(address: str, *, is_multicast: bool) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        one.bind((address, 0))
        if is_multicast:
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        one.setblocking(False)
    except OSError:
        one.close()
        raise
    return one


def _send(sockets: Sequence[socket.socket], probes: dict[str, tuple[str, str]], target: tuple[str, int]) -> int:
    """Send all probes from all sockets; returns how many left this machine."""
    sent = 0
    for one in sockets:
        for message_id, (space, kind) in probes.items():
            with suppress(OSError):
                one.sendto(probe_message(message_id, space, kind), target)
                sent += 1
    return sent


def probe_message(message_id: str, space: str, kind: str) -> bytes:
    """The question for devices of one type."""
    header = (
        f"<a:MessageID>{message_id}</a:MessageID>"
        "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
        "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>"
    )
    body = (
        '<d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        f'<d:Types xmlns:t="{space}">t:{kind}</d:Types></d:Probe>'
    )
    return envelope(header, body)


def _receive(one: socket.socket, probes: dict[str, tuple[str, str]], devices: dict[str, Device]) -> None:
    """Read the answers that have come. One that cannot be read is left out: anybody on the network may send."""
    while len(devices) < MOST_DEVICES:
        try:
            data, (host, _) = one.recvfrom(MAX_DATAGRAM)
        except BlockingIOError:
            return
        except OSError:
            continue  # an error that an earlier datagram of ours caused
        with suppress(MalformedMessage):
            device = read_match(data, host, probes)
            if device is not None and (host not in devices or devices[host].address is None):
                devices[host] = device


def _order(host: str) -> bytes:
    try:
        return socket.inet_aton(host)
    except OSError:
        return host.encode()
