"""Open recordings with FFmpeg: only formats of one file, and playlists whose files are in their own folder.

FFmpeg opens whatever a playlist names: another user's file, a device, an address. So formats that name other files are
left out, except for HLS and FFmpeg's concat lists, whose files are checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

import av
import av.error

from ingest.sources.decoding.ffmpeg import explain
from posebus.errors import SourceRejected

LINKING_DEMUXERS = frozenset(
    {"concat", "dash", "hds", "hls", "image2", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "smoothstreaming", "vobsub"}
)
"""Formats that name other files, addresses or devices."""
TEXT_DEMUXERS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""FFmpeg would draw text files as video of a terminal, which is never wanted."""
END_OF_PLAYLIST = b"#EXT-X-ENDLIST"
MAX_PLAYLIST_BYTES = 10_000_000
MAX_PLAYLISTS = 100
PLAYLISTS = {b"#EXTM3U": "hls", b"ffconcat": "concat"}
OTHER_LISTS = {
    rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<MPD\b": "a DASH manifest",
    rb"v=0\r?\no=": "a description of a network stream (SDP)",
    rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(\w+:)?(CompositionPlaylist|AssetMap)\b": "an IMF package",
}
ADDRESS = re.compile(r"(subfile,|[A-Za-z][A-Za-z0-9+.-]*(?=:))")
URI = re.compile(r'URI="([^"]*)"')


def open_container(path: Path, linked: LinkedFiles) -> Any:
    """Return the av container of the recording at `path`; `linked` opens the files that a playlist names.

    Raises SourceRejected with one sentence if FFmpeg cannot read it, or if it names files that it may not.
    """
    with path.open("rb") as file:
        head = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    playlist = next((kind for start, kind in PLAYLISTS.items() if head.startswith(start)), None)
    for pattern, what in OTHER_LISTS.items():
        if re.match(pattern, head, re.DOTALL):
            raise SourceRejected(f"{path} is {what}, no recording; give the address of the stream or a video file")
    options = {"protocol_whitelist": "file", "format_whitelist": allowed_formats(playlist)}
    try:
        # The prefix keeps FFmpeg from reading "a:b.mp4" as an address.
        if playlist == "hls":
            container = av.open(
                f"file:{path.absolute()}", options=options, io_open=linked.open, metadata_errors="replace"
            )
            if linked.refuses:
                container.close()
                linked.raise_refusal()
            return container
        if playlist == "concat":
            linked.check_concat()
            options["safe"] = "0" if linked.any_files else "1"
        return av.open(f"file:{path}", options=options, metadata_errors="replace")
    except av.error.FFmpegError as error:
        linked.raise_refusal()
        raise SourceRejected(
            f"{path} is not a video that FFmpeg can read, or is cut off before its index: {explain(error)}"
        ) from error


@cache
def allowed_formats(playlist: str | None) -> str:
    """Return the names of the formats that may be opened, for FFmpeg's format_whitelist."""
    names = av.formats_available - LINKING_DEMUXERS - TEXT_DEMUXERS
    return ",".join(sorted(names | {playlist} if playlist else names))


class LinkedFiles:
    """Opens the files that a playlist names, if they are in its folder or below it."""

    def __init__(self, playlist: Path, *, any_files: bool) -> None:
        """`any_files` lets the playlist name files of all folders."""
        self.any_files = any_files
        self.missing: set[Path] = set()
        self._playlists = 0
        self._playlist = playlist
        self._folder = playlist.resolve().parent
        self._refusal: str | None = None

    @property
    def refuses(self) -> bool:
        """Whether the playlist named a file that it may not."""
        return self._refusal is not None

    def raise_refusal(self) -> None:
        """Raise SourceRejected if the playlist named a file that it may not."""
        if self._refusal is not None:
            raise SourceRejected(self._refusal)

    def open(self, url: str, flags: int, options: dict[str, str]) -> BinaryIO:
        """FFmpeg's callback; what is missing or refused is empty, since FFmpeg has no way to hear of an error.

        A playlist gets an end: FFmpeg would wait for a local file to grow.
        """
        path = self._path(url)
        if path is None or self._refusal is not None:
            return BytesIO()
        try:
            with path.open("rb") as file:
                is_playlist = file.read(16).lstrip(b"\xef\xbb\xbf").startswith(b"#EXTM3U")
                file.seek(0)
                text = file.read(MAX_PLAYLIST_BYTES) if is_playlist else b""
            if not is_playlist:
                return path.open("rb")
        except OSError:
            self.missing.add(path)
            return BytesIO()
        self._playlists += 1
        if self._playlists > MAX_PLAYLISTS:  # one that names itself would be opened for ever
            return BytesIO()
        self._check(names_in_m3u8(text.decode(errors="replace")), path.parent)
        if self._refusal is not None:
            return BytesIO()
        return BytesIO(text if END_OF_PLAYLIST in text else text.rstrip() + b"\n" + END_OF_PLAYLIST + b"\n")

    def check_concat(self) -> None:
        """Raise SourceRejected if the concat list names a file that it may not."""
        with self._playlist.open("rb") as file:
            text = file.read(MAX_PLAYLIST_BYTES).decode(errors="replace")
        self._check(names_in_concat(text), self._playlist.parent)
        self.raise_refusal()

    def _check(self, names: Iterable[str], folder: Path) -> None:
        for name in names:
            self._path(name, folder)

    def _path(self, url: str, folder: Path | None = None) -> Path | None:
        """Return the path of the file that `url` names, relative to `folder`; None if it is refused."""
        address = ADDRESS.match(url)
        if address and address[1].lower() != "file":
            what = address[1].lower().rstrip(",")
            if what.startswith("crypto"):
                self._refuse("is encrypted; decrypt it first, or give the address of the stream")
            else:
                self._refuse(f"names an address ({what}:), and a playlist on disk may name files only")
            return None
        name = re.sub(r"^file:(//(localhost)?(?=/))?", "", url, flags=re.IGNORECASE)
        path = Path(folder or "", name)
        if not path.exists() and Path(folder or "", unquote(name)).exists():
            path = Path(folder or "", unquote(name))
        if self.any_files or path.resolve().is_relative_to(self._folder):
            return path
        self._refuse(
            f"names the file {name}, which is not in its folder; put both into one folder, or set "
            "linked_files: any for this camera if you trust the playlist"
        )
        return None

    def _refuse(self, reason: str) -> None:
        self._refusal = self._refusal or f"{self._playlist} {reason}"


def names_in_m3u8(text: str) -> list[str]:
    """Return the files and addresses that an HLS playlist names: segments, variants, keys and initial parts."""
    lines = [line.strip() for line in text.splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    return names + [name for line in lines if line.startswith("#EXT") for name in URI.findall(line)]


def names_in_concat(text: str) -> list[str]:
    """Return the files that a list for FFmpeg's concat format names."""
    names = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "file":
            names.append(re.sub(r"\\(.)", r"\1", rest.strip().replace("'\\''", "\0").strip("'\"")).replace("\0", "'"))
    return names
