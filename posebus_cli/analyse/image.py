"""`posebus image`: the network alone on single pictures, in this process, without a broker and without a tracker."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.wording import counted
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption, PictureNetworkOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from posebus.arrays import Float32Array
    from posebus.config.settings import Settings
    from posebus.views import View
    from recordings.results.draw import Image
    from workers.detections import Detections, ImageArray
    from workers.inference.estimator import PoseEstimator

_FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Picture files (JPEG, PNG, WebP, …), or folders of pictures.")
]
_OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Folder for the results; created if missing. (default: a new folder, posebus-out or posebus-out-2, …; "
        "none with --json)",
    ),
]
_BlurOption = Annotated[
    bool,
    typer.Option(
        "--blur", help="Blur people instead of drawing them: inside their outline with --masks, else inside their box."
    ),
]


@grouped
def image(
    files: _FilesArgument,
    *,
    out: _OutOption = None,
    as_json: JsonOption = False,
    network: Annotated[
        PictureNetworkOptions, Offer(first=("imgsz", "tiles", "conf"), without=("infer_fps", "motion_gate"))
    ],
    blur: _BlurOption = False,
) -> None:
    """Detect people in pictures; write their keypoints as JSON and draw them.

    With --imgsz auto, each picture is inferred at several sizes; the result is that of the smallest size that finds the
    most people.

    Writes NAME.poses.json and NAME.annotated.png (with --blur NAME.blurred.png) for each picture into the folder.
    --masks needs a second network, whose weights are downloaded on first use.
    A picture that cannot be read is reported on standard error and does not stop the others; the exit code is then 1.
    """
    from recordings.inputs import file_names

    settings = settings_from(DeploymentOptions(), network)
    views = _views(settings, network.tiles)
    paths, failed = _pictures_in(files)
    results = []
    if paths:
        with _estimator(settings) as estimator:
            folder = _folder(out, as_json=as_json)
            for path, name in zip(paths, file_names([str(path) for path in paths]), strict=True):
                result = _one_picture(estimator, views, path, name, folder, blur=blur)
                failed += result is None
                if result is not None:
                    results.append(result)
                    if not as_json:
                        _print_result(result, None if folder is None else folder / f"{name}.{_ending(blur)}", blur=blur)
    if as_json:
        print(json.dumps(results))
    if failed:
        raise typer.Exit(1)


def _one_picture(
    estimator: PoseEstimator, views: Sequence[View], path: Path, name: str, folder: Path | None, *, blur: bool
) -> dict[str, Any] | None:
    """Return the result for one picture, also written to `folder`; None, after an error message, if unreadable."""
    import cv2

    from ingest.sources.images import read_picture
    from posebus.errors import BadPicture, SourceRejected
    from posebus.runtime.failures import complain

    try:
        image_bgr = read_picture(path)
    except (BadPicture, SourceRejected) as error:
        complain(error)
        return None
    view, found = _best_view(estimator, cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), views)
    result = {
        "file": str(path),
        "size_px": [image_bgr.shape[1], image_bgr.shape[0]],
        "view": str(view),
        "people": _people(found),
    }
    if folder is not None:
        from recordings.results.files import writing

        _draw_or_blur(image_bgr, found, blur=blur)
        json_path, picture_path = (folder / f"{name}.{ending}" for ending in ("poses.json", _ending(blur)))
        with writing(json_path):
            json_path.write_bytes((json.dumps(result, indent=1) + "\n").encode())
        with writing(picture_path):
            picture_path.write_bytes(cv2.imencode(".png", image_bgr)[1].tobytes())
    return result


def _views(settings: Settings, tiles: str | None) -> list[View]:
    """Return the views at which pictures are inferred, the cheapest first. Raises ConfigError."""
    from posebus.config.policies import AUTO, Policies
    from posebus.errors import ConfigError
    from posebus.views import MAX_TILES, View, parse_tiles

    worker = settings.worker
    sizes = Policies(AUTO, worker.imgsz_max).sizes if worker.imgsz == AUTO else (worker.plain_imgsz,)
    grid = (1, 1) if tiles is None else parse_tiles(tiles)
    if grid is None:
        raise ConfigError(f"--tiles: must be columns and rows from 1 to {MAX_TILES}, like 2x2, not {tiles}")
    columns, rows = grid
    return [View(imgsz=size, columns=columns, rows=rows) for size in sizes]


def _best_view(estimator: PoseEstimator, image_rgb: ImageArray, views: Sequence[View]) -> tuple[View, Detections]:
    """Return the first of `views` that finds the most people, with its detections."""
    found = [(view, estimator.estimate(image_rgb, view=view)) for view in views]
    return max(found, key=lambda pair: len(pair[1].scores))


def _ending(blur: bool) -> str:
    return "blurred.png" if blur else "annotated.png"


def _draw_or_blur(image_bgr: Image, found: Detections, *, blur: bool) -> None:
    """Draw the people into their picture, or blur them."""
    from recordings.results.draw import color_of, draw_people
    from recordings.results.outlines import NO_OUTLINE, blur_people, draw_outlines

    masks = [NO_OUTLINE] * len(found.scores) if found.masks is None else found.masks
    if blur:
        blur_people(image_bgr, found.boxes_xyxy_px, masks)
        return
    labels = [f"{score:.2f}" for score in found.scores]
    colors = [color_of(index) for index in range(len(labels))]
    draw_outlines(image_bgr, masks, colors)
    draw_people(image_bgr, found.boxes_xyxy_px, found.keypoints_px, labels, colors)


def _people(found: Detections) -> list[dict[str, Any]]:
    """Return the people for JSON; `mask` is a person's outline, which may be empty, and only there with --masks."""
    from posebus.contract.public_json import COORDINATE_DECIMALS, SCORE_DECIMALS

    def pixels(values: Float32Array) -> list[float]:
        return [round(float(value), COORDINATE_DECIMALS) for value in values]

    def score(value: float) -> float:
        return round(float(value), SCORE_DECIMALS)

    people: list[dict[str, Any]] = [
        {
            "box_xyxy_px": pixels(box),
            "score": score(box_score),
            "keypoints": [[*pixels(row[:2]), score(row[2])] for row in keypoints],
        }
        for box, box_score, keypoints in zip(found.boxes_xyxy_px, found.scores, found.keypoints_px, strict=True)
    ]
    if found.masks is not None:
        for person, mask in zip(people, found.masks, strict=True):
            person["mask"] = [pixels(point) for point in mask]
    return people


@contextmanager
def _estimator(settings: Settings) -> Iterator[PoseEstimator]:
    from rich.console import Console

    with Console(stderr=True).status("Loading the network (the first time it is exported, which takes longer)"):
        from posebus.config.loading import cache_folder
        from workers.engine_loading import load_engine
        from workers.inference.estimator import PoseEstimator

        engine = load_engine(settings.worker, cache_folder(settings))
    try:
        yield PoseEstimator(engine, settings.worker)
    finally:
        engine.close()


def _pictures_in(files: Sequence[Path]) -> tuple[list[Path], int]:
    """Return all pictures, those in folders, too, and the number of arguments without any (each was reported)."""
    from ingest.sources.images import list_pictures
    from posebus.errors import SourceRejected
    from posebus.runtime.failures import complain

    paths: list[Path] = []
    failed = 0
    for file in files:
        try:
            paths += list_pictures(file)
        except SourceRejected as error:
            complain(error)
            failed += 1
    return paths, failed


def _folder(out: Path | None, *, as_json: bool) -> Path | None:
    """Return the folder for the results, created; None if only JSON is wanted. Raises OutputError."""
    from posebus.errors import OutputError
    from recordings.results.new_folder import new_folder

    if out is None:
        return None if as_json else new_folder()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {out} cannot be created: {error.strerror}") from None
    return out


def _print_result(result: dict[str, Any], picture: Path | None, *, blur: bool) -> None:
    from posebus.telemetry.reports import view_in_words

    where = "" if picture is None else f", {'blurred' if blur else 'drawn'} in {picture}"
    people = counted(len(result["people"]), "person")
    print(f"{result['file']}: {people} at {view_in_words(result['view'])}{where}")
