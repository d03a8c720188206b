"""The results: means over the takes of each scene and tracker, as tables and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.moving.judging import Judgement
from benchmarks.tracking.table import NOTHING, Table


@dataclass(frozen=True, slots=True)
class Outcome:
    """One tracker in one take: how it kept the identities, and its HOTA and IDF1."""

    group: str
    scene: str
    tracker: str
    seed: int
    judgement: Judgement
    hota: float
    idf1: float


@dataclass(frozen=True, slots=True)
class Line:
    """Means over the outcomes of one tracker: `perfect` is the share of takes, 0..1; `most` the largest."""

    takes: int
    perfect: float
    ids: float
    covered: float
    takeovers: float
    extra: float
    confirmed: float
    visible: float
    most: int
    hota: float
    idf1: float


COLUMNS = ("perfect", "ids", "covered", "takeovers", "extra", "confirmed", "visible", "most", "HOTA", "IDF1")


def line_of(outcomes: Iterable[Outcome]) -> Line:
    """The means of some outcomes."""
    found = list(outcomes)
    judgements = [outcome.judgement for outcome in found]
    return Line(
        takes=len(found),
        perfect=statistics.fmean(each.perfect for each in judgements),
        ids=statistics.fmean(each.ids for each in judgements),
        covered=statistics.fmean(each.covered for each in judgements),
        takeovers=statistics.fmean(each.takeovers for each in judgements),
        extra=statistics.fmean(each.extra for each in judgements),
        confirmed=statistics.fmean(each.confirmed for each in judgements),
        visible=statistics.fmean(each.visible for each in judgements),
        most=max(each.most for each in judgements),
        hota=statistics.fmean(outcome.hota for outcome in found),
        idf1=statistics.fmean(outcome.idf1 for outcome in found),
    )


def names_in(outcomes: Iterable[Outcome], field: str) -> list[str]:
    """The different values of `group`, `scene` or `tracker`, in order."""
    return list(dict.fromkeys(getattr(outcome, field) for outcome in outcomes))


def scene_table(group: str, outcomes: list[Outcome]) -> Table:
    """Of one group: a row for each scene and tracker with all figures."""
    rows = []
    for scene in names_in(outcomes, "scene"):
        for tracker in names_in(outcomes, "tracker"):
            found = [each for each in outcomes if (each.scene, each.tracker) == (scene, tracker)]
            if found:
                rows.append([f"{scene}: {tracker}", *cells(line_of(found))])
    return Table(f"{group}: every scene", ["", *COLUMNS], rows)


def group_table(title: str, outcomes: list[Outcome]) -> Table:
    """Of one or more groups: a row for each tracker, means over all given takes of all its scenes."""
    rows = []
    for tracker in names_in(outcomes, "tracker"):
        found = [each for each in outcomes if each.tracker == tracker]
        rows.append([tracker, *cells(line_of(found))])
    scenes, takes = len({each.scene for each in outcomes}), len({(each.scene, each.seed) for each in outcomes})
    return Table(f"{title}: {scenes} scenes, {takes} takes", ["", *COLUMNS], rows)


def common(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes of the takes that all trackers ran that have anything to do with the scene."""
    found = list(outcomes)
    trackers: dict[str, set[str]] = {}
    ran: dict[tuple[str, int], set[str]] = {}
    for each in found:
        trackers.setdefault(f"{each.group}: {each.scene}", set()).add(each.tracker)
        ran.setdefault((f"{each.group}: {each.scene}", each.seed), set()).add(each.tracker)
    whole = {take for take, names in ran.items() if names == trackers[take[0]]}
    return [each for each in found if (f"{each.group}: {each.scene}", each.seed) in whole]


def perfect_table(outcomes: list[Outcome]) -> Table:
    """The share of perfect takes: a row for each tracker, a column for each group."""
    groups = names_in(outcomes, "group")
    rows = []
    for tracker in names_in(outcomes, "tracker"):
        cells_ = [tracker]
        for group in groups:
            found = [each for each in outcomes if (each.group, each.tracker) == (group, tracker)]
            cells_.append(f"{100 * line_of(found).perfect:.0f} %" if found else NOTHING)
        rows.append(cells_)
    return Table("takes in which everybody kept one number", ["", *groups], rows)


def cells(line: Line) -> list[str]:
    """The figures of COLUMNS, formatted."""
    return [
        f"{100 * line.perfect:.0f} %",
        f"{line.ids:.2f}",
        f"{100 * line.covered:.0f} %",
        *(f"{value:.2f}" for value in (line.takeovers, line.extra, line.confirmed, line.visible)),
        f"{line.most:+d}",
        *(f"{value:.3f}" for value in (line.hota, line.idf1)),
    ]


def as_json(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """A row of plain values for each scene and tracker: their names and the figures of `Line`."""
    found: dict[tuple[str, str, str], list[Outcome]] = {}
    for each in outcomes:
        found.setdefault((each.group, each.scene, each.tracker), []).append(each)
    rows = []
    for (group, scene, tracker), takes in found.items():
        figures = {name: round(value, 4) for name, value in asdict(line_of(takes)).items()}
        rows.append({"group": group, "scene": scene, "tracker": tracker} | figures)
    return rows


def before_table(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> Table:
    """Shares of perfect takes of our tracker in rows of `as_json`, before and now: a row for each group."""
    trackers = [name for name in dict.fromkeys(row["tracker"] for row in now) if name.startswith("posebus")]
    rows = []
    for group in dict.fromkeys(row["group"] for row in now):
        cells_ = [group, _share(before, group, "posebus")]
        rows.append(cells_ + [_share(now, group, tracker) for tracker in trackers])
    return Table("takes in which everybody kept one number, before and now", ["", "before", *trackers], rows)


def _share(rows: list[dict[str, Any]], group: str, tracker: str) -> str:
    found = [row for row in rows if (row["group"], row["tracker"]) == (group, tracker)]
    if not found:
        return NOTHING
    return f"{100 * sum(row['perfect'] * row['takes'] for row in found) / sum(row['takes'] for row in found):.0f} %"
