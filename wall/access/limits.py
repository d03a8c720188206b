"""How often a client may try to log in, and send requests. Pure: time is an argument, and memory is bounded."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass

MOST_KEYS = 10_000
"""Addresses or names of which something is remembered; beyond, what was not used for longest is forgotten."""


@dataclass(slots=True)
class _Failures:
    number: int = 0
    free_at_s: float = -math.inf
    last_s: float = -math.inf


class Throttle:
    """Pauses after failures: `free` ones cost nothing, each further one doubles the pause."""

    def __init__(self, free: int, first_s: float, most_s: float, forget_s: float) -> None:
        """first_s, most_s: the shortest and the longest pause. forget_s: all is forgotten after so long without one."""
        self._free = free
        self._first_s = first_s
        self._most_s = most_s
        self._forget_s = forget_s
        self._known: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """Return how long `key` has to wait before the next attempt; 0: it may try now."""
        known = self._known.get(key)
        if known is None or now_s - known.last_s >= self._forget_s:
            return 0.0
        return max(0.0, known.free_at_s - now_s)

    def failed(self, key: str, now_s: float) -> None:
        """Count one failure."""
        known = self._known.pop(key, None)
        if known is None or now_s - known.last_s >= self._forget_s:
            known = _Failures()
        known.number += 1
        known.last_s = now_s
        beyond = known.number - self._free
        if beyond > 0:
            # The exponent is bounded: 2.0 to the power of 1,100 overflows.
            known.free_at_s = now_s + min(self._most_s, self._first_s * 2.0 ** min(beyond - 1, 60))
        self._known[key] = known
        while len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of `key`."""
        self._known.pop(key, None)

    def __len__(self) -> int:
        return len(self._known)


class LoginThrottle:
    """Attempts to log in, counted for each address and for each name.

    A name is never locked for long, since failing on purpose would lock its owner out; an address may be.
    """

    def __init__(self) -> None:
        self._addresses = Throttle(free=5, first_s=1.0, most_s=900.0, forget_s=3600.0)
        self._names = Throttle(free=10, first_s=1.0, most_s=30.0, forget_s=3600.0)

    def wait_s(self, address: str, name: str, now_s: float) -> float:
        """Return how long to wait before the next attempt for `name` from `address`; 0: now."""
        return max(self._addresses.wait_s(of_one_owner(address), now_s), self._names.wait_s(name, now_s))

    def begin(self, address: str, name: str, now_s: float) -> None:
        """Count an attempt as failed before its password is checked: many at once are no way around the limit."""
        self._addresses.failed(of_one_owner(address), now_s)
        self._names.failed(name, now_s)

    def succeeded(self, address: str, name: str) -> None:
        """The attempt that began was right: what failed before is forgotten."""
        self._addresses.succeeded(of_one_owner(address))
        self._names.succeeded(name)


class RequestRates:
    """A token bucket for each session or address: a burst at once, and then so many requests a second."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """Take one request of `key`. Return 0 if it may be served, else how long to wait; then nothing is taken."""
        left, at_s = self._left.pop(key, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self._per_s)
        allowed = left >= 1.0
        self._left[key] = (left - 1.0 if allowed else left, now_s)
        while len(self._left) > MOST_KEYS:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._per_s

    def __len__(self) -> int:
        return len(self._left)


def of_one_owner(address: str) -> str:
    """Return what of an address belongs to one owner: of IPv6 64 bits, since one machine has a whole network."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
