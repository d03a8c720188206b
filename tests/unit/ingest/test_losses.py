"""Pictures that were lost: counted by reason over all connections, and reported once each."""

from __future__ import annotations

from ingest.reading.losses import REPORT_EVERY_S, Losses, LossReason


class OpenConnection:
    """The growing totals of one connection."""

    def __init__(self) -> None:
        self.lost = {LossReason.UNUSABLE: 0, LossReason.PUBLISHER_BEHIND: 0}

    def __call__(self) -> dict[LossReason, int]:
        return self.lost


def test_totals_include_the_open_connection_and_all_before_it() -> None:
    losses = Losses()
    first, second = OpenConnection(), OpenConnection()
    losses.attach(first)
    first.lost[LossReason.UNUSABLE] = 3
    losses.detach()
    first.lost[LossReason.UNUSABLE] = 99  # a reader that was abandoned
    losses.attach(second)
    second.lost[LossReason.PUBLISHER_BEHIND] = 2
    losses.add(LossReason.UNUSABLE)
    losses.add(LossReason.BROKER_UNAVAILABLE)

    assert losses.totals() == {"unusable": 4, "publisher behind": 2, "broker unavailable": 1}


def test_loss_is_reported_once_and_reports_are_a_second_apart() -> None:
    losses = Losses()
    assert losses.unreported(10.0) == {}

    losses.add(LossReason.UNUSABLE)
    assert losses.unreported(10.0) == {"unusable": 1}
    losses.add(LossReason.UNUSABLE)
    losses.add(LossReason.BROKER_UNAVAILABLE)
    assert losses.unreported(10.0 + 0.9 * REPORT_EVERY_S) == {}
    assert losses.unreported(10.0 + REPORT_EVERY_S) == {"unusable": 1, "broker unavailable": 1}
    assert losses.unreported(20.0) == {}


def test_loss_is_counted_once_for_the_metric() -> None:
    losses = Losses()
    connection = OpenConnection()
    losses.attach(connection)
    connection.lost[LossReason.UNUSABLE] = 2
    assert losses.uncounted() == {"unusable": 2}
    losses.detach()
    assert losses.uncounted() == {}
    losses.add(LossReason.UNUSABLE)
    assert losses.uncounted() == {"unusable": 1}
