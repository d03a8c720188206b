"""`posebus image`: the network alone on single pictures, in this process, without a broker and without a tracker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.plain_text import plain
from posebus.wording import counted
from posebus_cli.analyse.estimating import best_view, loaded_estimator, views_of
from posebus_cli.analyse.image_inputs import inputs_of
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption, PictureNetworkOptions, PrivacyOption
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from posebus.views import View
    from recordings.inputs import UniqueNames
    from recordings.results.draw import Image
    from recordings.results.pictures import PictureFiles
    from recordings.results.video import Style
    from workers.inference.estimator import PoseEstimator

_FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Picture files (JPEG, PNG, HEIC, WebP, …), folders of pictures, or patterns like 'shop/*.jpg'. Of a video "
        "file, an address like rtsp://…, or usb:0, one picture is taken.",
    ),
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
    privacy: PrivacyOption = None,
) -> None:
    """Detect people in pictures; write their keypoints as JSON and draw them.

    By default each picture is inferred at 640 and at 1280 px, and the result is that of the smaller one unless people
    are too small for it.

    Writes NAME.poses.json and NAME.annotated.png (with --blur NAME.blurred.png) for each picture into the folder.
    From a camera or a video the sharpest of its first pictures is taken.

    --masks needs a second network, whose weights are downloaded on first use. Of an animation or a file of several
    pages, every picture is analysed; the results from the second on are called NAME.2 and so on. A picture that cannot
    be read is reported on standard error and does not stop the others; the exit code is then 1.
    """
    from posebus.config.cameras.privacy import HEADS
    from posebus.runtime.failures import complain, in_one_sentence
    from recordings.inputs import UniqueNames
    from recordings.interrupts import interruptible
    from recordings.results.video import Style

    settings = settings_from(DeploymentOptions(), network)
    views = views_of(settings, network.tiles)
    style = Style(blur=blur, privacy=privacy or HEADS)
    results = []
    with interruptible():
        inputs, failed = inputs_of(pictures)
        if inputs:
            with _folder(out, as_json=as_json) as folder, loaded_estimator(settings) as estimator:
                names = UniqueNames()
                firsts = [names.take(one.name) for one in inputs]
                for one, first in zip(inputs, firsts, strict=True):
                    try:
                        for page, (about, image_bgr) in enumerate(one.pictures(), start=1):
                            files = _files_of_page(folder, names, first, page, style)
                            results.append(_one_picture(image_bgr, about, (estimator, views), files))
                            if not as_json:
                                _print_result(results[-1], files)
                    except Exception as error:  # noqa: BLE001 - no picture may keep the others from being analysed
                        complain(in_one_sentence(error, about=one.shown))
                        failed += 1
    if as_json:
        print(json.dumps(results))
    if failed:
        raise typer.Exit(1)


def _files_of_page(folder: Path | None, names: UniqueNames, first: str, page: int, style: Style) -> PictureFiles | None:
    """Return the files of a page of the file whose first page is called `first`; None if nothing is written."""
    from recordings.results.pictures import PictureFiles

    name = first if page == 1 else names.take(f"{first}.{page}")
    return None if folder is None else PictureFiles.of(folder, name, style)


def _one_picture(
    image_bgr: Image, about: dict[str, Any], network: tuple[PoseEstimator, Sequence[View]], files: PictureFiles | None
) -> dict[str, Any]:
    """Return the result for one picture, whose file is described by `about`."""
    import cv2

    from recordings.results.pictures import people_to_json

    view, found = best_view(network[0], cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), network[1])
    result = {
        **about,
        "size_px": [image_bgr.shape[1], image_bgr.shape[0]],
        "view": str(view),
        "people": people_to_json(found),
    }
    if files is not None:
        files.write(result, image_bgr, found)
    return result


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

    where = "" if files is None else f", {'blurred' if files.style.blur else 'drawn'} in {files.picture}"
    page = f", picture {result['page']}" if "page" in result else ""
    people = counted(len(result["people"]), "person")
    print(plain(f"{result.get('file') or result['source']}{page}: {people} at {view_in_words(result['view'])}{where}"))
