"""Identities when the world moves: our tracker and others in scripted scenes with true identities.

    python -m benchmarks.moving [--scenes shake,pan,runners:among] [--trackers posebus,ultralytics] [--seeds 5]
                                [--details] [--before FILE] [--out DIR]

Groups of scenes: still (the people of the next groups before a still camera), shake, pan, zoom, ptz, drone, handheld,
runners, postures, doubles, sizes, rates, crowds (people who meet and part), colours (the same in clothes whose colours
the worker reads); GROUP:TEXT chooses the scenes of a group whose names contain a text.
All people are detected with the errors of a network (see `benchmarks.scenes`), and each scene is made with several
seeds.

`posebus` gets no motion of the camera, `posebus+motion` the true one, and `posebus+pictures` the one that ingest
estimates from rendered pictures; `posebus+corrected` is judged by the numbers after all corrections. Other trackers
that estimate the camera's motion get the same pictures. They run the first `--peer-seeds` takes of each scene only,
because that takes most of the time; tables that compare are over the takes that all ran.

    perfect     share of takes in which each person had one number all the time, and no number had two people
    ids         numbers that a person had, mean
    covered     share of the frames with a visible person in which the person has a number
    takeovers   numbers that went from one person to another, for each take
    extra       tracks that belonged to no person, such as doubles, for each take
    confirmed   tracks in a frame, mean; to be compared with `visible`, the mean number of visible people
    most        the largest number of tracks in a frame, less the largest number of visible people
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.common.hota import score
from benchmarks.moving.catalogue import GROUPS, chosen_scenes
from benchmarks.moving.contenders import CORRECTED, OURS, OWN, contenders, followed, ready
from benchmarks.moving.judging import judged
from benchmarks.moving.report import MovingReport, scenes_in
from benchmarks.moving.table import Outcome, as_json, before_table, common, perfect_table
from benchmarks.moving.take import Scene
from benchmarks.tracking.command import show, steps

TRACKERS = (
    OURS,
    *("ultralytics-bytetrack", "ultralytics-botsort", "ultralytics-tracktrack"),
    *("roboflow-bytetrack", "roboflow-botsort"),
    *("boxmot-bytetrack+times", "boxmot-boosttrack", "norfair"),
)
"""Of each family those that differ most, among them all kinds that estimate the camera's motion from pictures."""


def arguments() -> argparse.Namespace:
    """Parse the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=",".join(GROUPS), help="groups, or GROUP:TEXT; all by default")
    parser.add_argument("--trackers", default=",".join(TRACKERS), help="families or names of trackers")
    parser.add_argument("--seeds", type=int, default=5, help="takes of each scene (5)")
    parser.add_argument("--peer-seeds", type=int, default=1, help="takes of each scene that others run, too (1)")
    parser.add_argument("--details", action="store_true", help="also print every scene, and not only every group")
    parser.add_argument("--out", type=Path, help="folder for results.json, results.md and the plot")
    parser.add_argument("--before", type=Path, help="an earlier results.json, to be compared with")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    return options


def outcomes_of(scene: Scene, seed: int, names: list[str]) -> list[Outcome]:
    """The outcomes of the trackers in one take."""
    take = scene.make(seed)
    film = take.film
    found = []
    for name, rows in followed(names, take).items():
        judgement = judged(film.truth, film.visible, rows, take.fps, take.focus)
        metrics = score(film.truth, rows)
        found.append(Outcome(scene.group, scene.name, name, seed, judgement, metrics["HOTA"], metrics["IDF1"]))
    return found


def outcomes_in(group: str, scenes: list[Scene], names: list[str], options: argparse.Namespace) -> list[Outcome]:
    """The outcomes of all takes of a group, tracker by tracker, without those of CORRECTED where nothing was
    corrected."""
    takes = [(seed, scene) for scene in scenes for seed in range(options.seeds * scene.weight)]
    found: list[Outcome] = []
    with steps(f"{group}: {len(scenes)} scenes, {len(takes)} takes", len(takes)) as step:
        # Seed by seed, because scenes of one seed share what is filmed.
        for seed, scene in sorted(takes, key=lambda take: take[0]):
            few = names if seed < options.peer_seeds * scene.weight else [name for name in names if name in OWN]
            found += outcomes_of(scene, seed, few)
            step(scene.name)
    judgements = {name: [each.judgement for each in found if each.tracker == name] for name in names}
    same = judgements.get(CORRECTED) == judgements.get(OURS)
    return [each for name in names for each in found if each.tracker == name and not (same and name == CORRECTED)]


def main() -> None:
    """Run the trackers over the scenes, and print and write the tables."""
    options = arguments()
    scenes = chosen_scenes(options.scenes.split(","))
    names, missing = ready(contenders(options.trackers.split(",")))
    for sentence in missing:
        print(sentence, file=sys.stderr)
    report = MovingReport(before=scenes_in(options.before) if options.before else [])
    for group in dict.fromkeys(scene.group for scene in scenes):
        of_group = [scene for scene in scenes if scene.group == group]
        report.outcomes += outcomes_in(group, of_group, names, options)
        for table in report.tables_of(group, details=options.details):
            show(table)
        if options.out:
            report.write(options.out)
    show(perfect_table(common(report.outcomes)))
    if report.before:
        show(before_table(report.before, as_json(report.outcomes)))


if __name__ == "__main__":
    main()
