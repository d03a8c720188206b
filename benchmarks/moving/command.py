"""Identities when the world moves: our tracker and others in scripted scenes with true identities.

    python -m benchmarks.moving [--scenes shake,pan,runners:among] [--trackers posebus,ultralytics] [--seeds 10]
                                [--details] [--out DIR]

Groups of scenes: shake, pan, zoom, ptz, drone, handheld, runners, postures, doubles, sizes, rates, crowds; GROUP:TEXT
chooses the scenes of a group whose names contain a text. All people have the errors of a network (see
`benchmarks.scenes`), and each scene is made with several seeds.

`posebus` gets no motion of the camera, `posebus+motion` the true one; trackers that estimate it get rendered pictures.

    perfect     share of takes in which everybody had one number all the time, and nobody somebody else's
    ids         numbers that a person had, mean
    takeovers   numbers that went from one person to another, for each take
    extra       tracks that belonged to nobody, such as doubles, for each take
    confirmed   tracks in a frame, mean; to be compared with `visible`, the people of whom enough is to be seen
    most        the largest number of tracks in a frame, less the largest number of visible people
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.common.hota import score
from benchmarks.moving.catalogue import GROUPS, chosen_scenes
from benchmarks.moving.contenders import TOLD, contenders, followed
from benchmarks.moving.judging import judged
from benchmarks.moving.table import Outcome, as_json, group_table, names_in, perfect_table, scene_table
from benchmarks.moving.take import Scene
from benchmarks.tracking.command import show, steps
from benchmarks.tracking.peers import installed


def arguments() -> argparse.Namespace:
    """Parse the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=",".join(GROUPS), help="groups, or GROUP:TEXT; all by default")
    parser.add_argument("--trackers", default="posebus", help="families or names of trackers (posebus)")
    parser.add_argument("--seeds", type=int, default=10, help="takes of each scene (10)")
    parser.add_argument("--details", action="store_true", help="also print every scene, and not only every group")
    parser.add_argument("--out", type=Path, help="folder for results.json, results.md and the plot")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    return options


def outcomes_of(scene: Scene, seed: int, names: list[str]) -> list[Outcome]:
    """The outcomes of the trackers in one take."""
    take = scene.make(seed)
    found = []
    for name in names:
        rows = followed(name, take)
        if rows is None:
            continue
        film = take.film
        judgement = judged(film.truth, film.visible, rows, take.fps, take.focus)
        metrics = score(film.truth, rows)
        found.append(Outcome(scene.group, scene.name, name, seed, judgement, metrics["HOTA"], metrics["IDF1"]))
    return found


def main() -> None:
    """Run the trackers over the scenes, and print and write the tables."""
    options = arguments()
    scenes = chosen_scenes(options.scenes.split(","))
    wanted = contenders(options.trackers.split(","))
    present, missing = installed(name for name in wanted if name != TOLD)
    for sentence in missing:
        print(sentence, file=sys.stderr)
    names = [name for name in wanted if name == TOLD or name in present]
    outcomes: list[Outcome] = []
    for group in names_in(scenes, "group"):
        of_group = [scene for scene in scenes if scene.group == group]
        takes = [(scene, seed) for scene in of_group for seed in range(options.seeds * scene.weight)]
        with steps(f"{group}: {len(of_group)} scenes, {len(takes)} takes", len(takes)) as step:
            for scene, seed in sorted(takes, key=lambda take: take[1]):
                outcomes += outcomes_of(scene, seed, names)
                step(scene.name)
        found = sorted((each for each in outcomes if each.group == group), key=lambda each: names.index(each.tracker))
        show(group_table(group, found))
        if options.details:
            show(scene_table(group, found))
    show(perfect_table(outcomes))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "results.json").write_text(json.dumps(as_json(outcomes), indent=1) + "\n")


if __name__ == "__main__":
    main()
