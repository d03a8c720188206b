"""`python -m posebus_cli.analyse.sample_picture`: one picture of a camera that is not saved yet, for the wall.

The settings come as JSON from standard input, since an address may hold a password. The JPEG goes to standard output; a
sentence about what went wrong to standard error, with the exit code 1.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from posebus.runtime.python_child import python_command

MAX_BYTES = 1_000_000
LONGEST_SIDE_PX = 960
JPEG_QUALITY = 80
SAMPLE_PICTURE = "posebus_cli.analyse.sample_picture"
"""The name of this module, which has another one while it runs."""


def command_line() -> tuple[str, ...]:
    """The command line of the child."""
    return tuple(python_command("-m", SAMPLE_PICTURE))


def picture(settings_json: bytes) -> bytes:
    """Return the picture of the one camera in the settings, with its people; their heads are blurred by its setting.

    Raises PoseBusError.
    """
    import cv2

    from posebus.config.settings import Settings
    from posebus.contract.foreign_json import load_object
    from posebus_cli.analyse.source_picture import picture_of_source
    from recordings.results.video import Style

    settings = Settings.model_validate(load_object(settings_json, "the settings", MAX_BYTES))
    (camera,) = settings.cameras.values()
    image_bgr = picture_of_source(settings, camera, Style(privacy=camera.privacy)).image_bgr
    scale = min(1.0, LONGEST_SIDE_PX / max(image_bgr.shape[:2]))
    if scale < 1:
        image_bgr = cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())


def main() -> NoReturn:
    """Take the picture and exit."""
    from posebus.config.redaction import harmless
    from posebus.errors import PoseBusError

    try:
        taken = picture(sys.stdin.buffer.read(MAX_BYTES + 1))
    except PoseBusError as error:
        print(harmless(str(error), 2000), file=sys.stderr)
        sys.exit(1)
    sys.stdout.buffer.write(taken)
    sys.exit(0)


if __name__ == "__main__":
    main()
