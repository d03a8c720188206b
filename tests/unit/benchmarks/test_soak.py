"""Which frames the ledger of a soak counts as lost, duplicated or out of order."""

from __future__ import annotations

from benchmarks.faults.ledger import FrameLedger


def follow(ledger: FrameLedger, seqs: list[int], epoch: int = 1) -> FrameLedger:
    for seq in seqs:
        ledger.track("door", epoch, seq, age_s=0.1, now_s=float(seq))
    return ledger


def test_frames_reported_as_skipped_are_not_lost() -> None:
    ledger = follow(FrameLedger(), [0, 1, 2, 5, 6])
    assert ledger.lost() == 2
    ledger.gap("door", 1, last_seq=4, reasons={"too old": 2})
    assert ledger.lost() == 0
    ledger.gap("door", 1, last_seq=8, reasons={"overflow": 1})
    assert ledger.lost() == 1, "one of two frames after the last tracked one is reported"
    assert (ledger.duplicates, ledger.disorder, ledger.tracked(), ledger.epochs()) == (0, 0, 5, 1)
    assert ledger.reasons == {"too old": 2, "overflow": 1}


def test_duplicate_and_late_frames_are_counted() -> None:
    ledger = follow(FrameLedger(), [0, 1, 1, 3, 2])
    assert (ledger.duplicates, ledger.disorder, ledger.lost()) == (1, 1, 0)
    follow(ledger, [0, 1], epoch=2)
    assert (ledger.duplicates, ledger.disorder, ledger.epochs()) == (1, 1, 2)


def test_ages_and_silences_are_recorded() -> None:
    ledger = follow(FrameLedger(), [0, 1, 9])
    assert max(ledger.silences_s) == 8.0
    assert ledger.age_percentiles_s(50, 99) == [0.1, 0.1]
