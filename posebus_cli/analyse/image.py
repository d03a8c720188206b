"""`posebus image`: the network alone on single pictures, in this process, without a broker and without a tracker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.plain_text import plain
from posebus.wording import counted
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption, PictureNetworkOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.views import View
    from recordings.inputs import UniqueNames
    from recordings.results.draw import Image
    from recordings.results.pictures import PictureFiles
    from workers.detections import Detections, ImageArray
    from workers.inference.estimator import PoseEstimator

_FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILE", help="Picture files (JPEG, PNG, HEIC, WebP, …), or folders of pictures."),
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
    pictures: _FilesArgument,
    *,
    out: _OutOption = None,
    as_json: JsonOption = False,
    network: Annotated[
        PictureNetworkOptions, Offer(first=("imgsz", "tiles", "conf"), without=("infer_fps", "motion_gate"))
    ],
    blur: _BlurOption = False,
) -> None:
    """Detect people in pictures; write their keypoints as JSON and draw them.

    By default each picture is inferred at 640 and at 1280 px, and the result is that of the smaller one unless people
    are too small for it.

    Writes NAME.poses.json and NAME.annotated.png (with --blur NAME.blurred.png) for each picture into the folder.
    --masks needs a second network, whose weights are downloaded on first use. Of an animation or a file of several
    pages, every picture is analysed; the results from the second on are called NAME.2 and so on. A picture that cannot
    be read is reported on standard error and does not stop the others; the exit code is then 1.
    """
    from posebus.runtime.failures import complain, in_one_sentence
    from recordings.inputs import UniqueNames, file_names

    settings = settings_from(DeploymentOptions(), network)
    views = _views(settings, network.tiles)
    paths, failed = _pictures_in(pictures)
    results = []
    if paths:
        with _estimator(settings) as estimator, _folder(out, as_json=as_json) as folder:
            names = UniqueNames(firsts := file_names([str(path) for path in paths]))
            for path, first in zip(paths, firsts, strict=True):
                files = partial(_files_of_page, folder, names, first, blur=blur)
                try:
                    for result, written in _pictures_of(path, estimator, views, files):
                        results.append(result)
                        if not as_json:
                            _print_result(result, written)
                except Exception as error:  # noqa: BLE001 - no picture may keep the others from being analysed
                    complain(in_one_sentence(error, about=path))
                    failed += 1
    if as_json:
        print(json.dumps(results))
    if failed:
        raise typer.Exit(1)


def _files_of_page(
    folder: Path | None, names: UniqueNames, first: str, page: int, *, blur: bool
) -> PictureFiles | None:
    """Return the files of a page of the file whose first page is called `first`; None if nothing is written."""
    from recordings.results.pictures import PictureFiles

    name = first if page == 1 else names.take(f"{first}.{page}")
    return None if folder is None else PictureFiles.of(folder, name, blur=blur)


def _pictures_of(
    path: Path, estimator: PoseEstimator, views: Sequence[View], files: Callable[[int], PictureFiles | None]
) -> Iterator[tuple[dict[str, Any], PictureFiles | None]]:
    """Yield the result for each picture of a file, and where it is written: to `files(page)`, asked once for each.

    Raises PoseBusError, and the unforeseen errors of libraries.
    """
    from ingest.sources.pictures.opening import open_picture

    with open_picture(path) as opened:
        for page in range(1, opened.count + 1):
            about = {"file": str(path)} if opened.count == 1 else {"file": str(path), "page": page}
            written = files(page)
            yield _one_picture(opened.read(page - 1).image_bgr, about, (estimator, views), written), written


def _one_picture(
    image_bgr: Image, about: dict[str, Any], network: tuple[PoseEstimator, Sequence[View]], files: PictureFiles | None
) -> dict[str, Any]:
    """Return the result for one picture, whose file is described by `about`."""
    import cv2

    from recordings.results.pictures import people_to_json

    view, found = _best_view(network[0], cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), network[1])
    result = {
        **about,
        "size_px": [image_bgr.shape[1], image_bgr.shape[0]],
        "view": str(view),
        "people": people_to_json(found),
    }
    if files is not None:
        files.write(result, image_bgr, found)
    return result


def _views(settings: Settings, tiles: str | None) -> list[View]:
    """Return the views at which pictures are inferred, the cheapest first. Raises ConfigError."""
    from posebus.config.policies import AUTO
    from posebus.errors import ConfigError
    from posebus.views import MAX_TILES, View, parse_tiles

    worker = settings.worker
    # Sizes between these would rarely find more, and each takes the engine a moment to set itself up.
    sizes = dict.fromkeys((worker.plain_imgsz, worker.largest_imgsz) if worker.imgsz == AUTO else (worker.plain_imgsz,))
    grid = (1, 1) if tiles is None else parse_tiles(tiles)
    if grid is None:
        raise ConfigError(f"--tiles: must be columns and rows from 1 to {MAX_TILES}, like 2x2, not {tiles}")
    columns, rows = grid
    return [View(imgsz=size, columns=columns, rows=rows) for size in sizes]


def _best_view(estimator: PoseEstimator, image_rgb: ImageArray, views: Sequence[View]) -> tuple[View, Detections]:
    """Return the first of `views` that misses the fewest people for their size, with its detections."""
    from tracking.policies.recall import compare_views

    found = [(view, estimator.estimate(image_rgb, view=view)) for view in views]
    size_px = (image_rgb.shape[1], image_rgb.shape[0])
    result = compare_views(0, [(view, one.boxes_xyxy_px, one.scores) for view, one in found], size_px)
    # Rounded, since one more face in a poster is not worth another size.
    return min(found, key=lambda pair: round(result.missed[pair[0]]))


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


def _pictures_in(files: Sequence[str]) -> tuple[list[Path], int]:
    """Return all pictures, those in folders, too, and the number of arguments without any (each was reported)."""
    from ingest.sources.pictures.folder import list_pictures
    from posebus.config.local_files import local_path
    from posebus.errors import SourceRejected
    from posebus.runtime.failures import complain

    paths: list[Path] = []
    failed = 0
    for file in files:
        try:
            found = list_pictures(local_path(file))
        except SourceRejected as error:
            complain(error)
            failed += 1
            continue
        paths += found.paths
        if found.warning is not None:
            complain(found.warning)
    return paths, failed


def _folder(out: Path | None, *, as_json: bool) -> AbstractContextManager[Path | None]:
    """Return the folder for the results, created; None if only JSON is wanted. Raises OutputError."""
    from recordings.results.files import make_folder
    from recordings.results.new_folder import results_folder

    if out is None and as_json:
        return nullcontext()
    if out is not None:
        make_folder(out)
    return results_folder(out)


def _print_result(result: dict[str, Any], files: PictureFiles | None) -> None:
    from posebus.telemetry.reports import view_in_words

    where = "" if files is None else f", {'blurred' if files.blur else 'drawn'} in {files.picture}"
    page = f", picture {result['page']}" if "page" in result else ""
    people = counted(len(result["people"]), "person")
    print(plain(f"{result['file']}{page}: {people} at {view_in_words(result['view'])}{where}"))
