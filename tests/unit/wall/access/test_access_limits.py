"""Pauses after failed logins and the rate of requests, by arithmetic; memory is bounded."""

from __future__ import annotations

import pytest

from wall.access.limits import MOST_KEYS, LoginThrottle, RequestRates, Throttle, of_one_owner


def test_pauses_double_after_the_free_attempts_up_to_the_longest() -> None:
    throttle = Throttle(free=3, first_s=1.0, most_s=10.0, forget_s=1000.0)
    waits = []
    for _ in range(9):
        throttle.failed("a", 0.0)
        waits.append(throttle.wait_s("a", 0.0))
    assert waits == [0, 0, 0, 1, 2, 4, 8, 10, 10]
    assert throttle.wait_s("a", 7.5) == 2.5
    assert throttle.wait_s("a", 10.0) == 0
    assert throttle.wait_s("b", 0.0) == 0, "of others nothing is remembered"


def test_failures_are_forgotten_after_a_success_and_after_a_time() -> None:
    throttle = Throttle(free=0, first_s=5.0, most_s=60.0, forget_s=100.0)
    throttle.failed("a", 0.0)
    throttle.failed("a", 1.0)
    assert throttle.wait_s("a", 1.0) == 10
    throttle.succeeded("a")
    assert throttle.wait_s("a", 1.0) == 0
    throttle.failed("a", 2.0)
    throttle.failed("a", 102.0)
    assert throttle.wait_s("a", 102.0) == 5, "the failure before is as old as that"


def test_a_throttle_remembers_a_bounded_number_and_never_overflows() -> None:
    throttle = Throttle(free=0, first_s=1.0, most_s=900.0, forget_s=1e9)
    for number in range(MOST_KEYS + 50):
        throttle.failed(str(number), 0.0)
    assert len(throttle) == MOST_KEYS
    assert throttle.wait_s("0", 0.0) == 0
    assert throttle.wait_s(str(MOST_KEYS), 0.0) == 1
    for _ in range(2000):
        throttle.failed("x", 0.0)
    assert throttle.wait_s("x", 0.0) == 900


def test_one_address_is_held_up_for_all_names_and_one_name_for_all_addresses() -> None:
    logins = LoginThrottle()
    for number in range(6):
        logins.begin("192.0.2.1", f"name{number}", 0.0)
    assert logins.wait_s("192.0.2.1", "another", 0.0) == 1
    assert logins.wait_s("192.0.2.2", "another", 0.0) == 0
    for number in range(30):
        logins.begin(f"198.51.100.{number}", "olga", 0.0)
    assert logins.wait_s("203.0.113.5", "olga", 0.0) == 30, "no more: its owner could be locked out on purpose"
    logins.succeeded("203.0.113.5", "olga")
    assert logins.wait_s("203.0.113.5", "olga", 0.0) == 0


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address: str, owner: str) -> None:
    assert of_one_owner(address) == owner


def test_a_burst_is_served_at_once_and_then_a_rate() -> None:
    rates = RequestRates(per_s=2.0, burst=3.0)
    assert [rates.wait_s("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert rates.wait_s("b", 0.0) == 0
    assert rates.wait_s("a", 0.25) == 0.25
    assert rates.wait_s("a", 0.5) == 0
    assert rates.wait_s("a", 0.5) == 0.5
    assert [rates.wait_s("a", 100.0) for _ in range(4)] == [0, 0, 0, 0.5], "no more than the burst is saved up"


def test_rates_of_a_bounded_number_of_clients_are_remembered() -> None:
    rates = RequestRates(per_s=1.0, burst=1.0)
    for number in range(MOST_KEYS + 10):
        rates.wait_s(str(number), 0.0)
    assert len(rates) == MOST_KEYS
