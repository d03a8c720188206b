"""Videos that are stored or cut in unusual ways, read as FFmpeg's own programs read them."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ingest.publishing.encoding import encode
from ingest.sources import CapturedImage, Source, open_source
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected
from recordings.progress import Silent
from recordings.results.video import annotate

FPS = 25
SIZE_PX = (96, 64)
FRAMES = 30


def ffmpeg(*arguments: object, cwd: Path | None = None) -> bytes:
    command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=cwd).stdout


def probe(path: Path, entries: str) -> list[dict[str, Any]]:
    """What ffprobe says of streams (`stream=…`) or frames (`frame=…`) of the video."""
    command = ["ffprobe", "-v", "quiet", "-select_streams", "v", "-show_entries", entries, "-of", "json", path]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    kind = entries.partition("=")[0] + "s"
    return found[kind]  # type: ignore[no-any-return]


def picture_of_ffmpeg(path: Path, size_px: tuple[int, int]) -> np.ndarray:
    """The first picture as ffmpeg shows it, turned upright."""
    data = ffmpeg("-i", path, "-frames:v", 1, "-f", "rawvideo", "-pix_fmt", "bgr24", "-")
    return np.frombuffer(data, np.uint8).reshape(size_px[1], size_px[0], 3)


def times_of_ffprobe(path: Path) -> list[float]:
    """Presentation times in seconds from the first, as ffprobe guesses them."""
    times = [float(frame["best_effort_timestamp_time"]) for frame in probe(path, "frame=best_effort_timestamp_time")]
    return [time - times[0] for time in times]


def open_path(path: Path, **values: object) -> Source:
    return open_source(CameraSettings(source=str(path), delivery="lossless", **values))


def read_all(source: Source) -> list[CapturedImage]:
    pictures = list(iter(source.read, None))
    source.close()
    return pictures


def times_of(pictures: list[CapturedImage]) -> list[float]:
    return [picture.captured_at_ns / 1e9 for picture in pictures]


def even_times(count: int) -> list[float]:
    return [number / FPS for number in range(count)]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with base.mp4 (with B-frames) and plain.mp4 (without), of the same 30 moving pictures."""
    folder = tmp_path_factory.mktemp("clips")
    scene = ("-f", "lavfi", "-i", f"testsrc2=s={SIZE_PX[0]}x{SIZE_PX[1]}:r={FPS}", "-frames:v", FRAMES)
    look = ("-c:v", "libx264", "-crf", 10, "-g", 12, "-pix_fmt", "yuv420p")
    ffmpeg(*scene, *look, "-bf", 2, folder / "base.mp4", *look, "-frames:v", FRAMES, "-bf", 0, folder / "plain.mp4")
    return folder


def remux(source: Path, target: Path, *, degrees: float = 0, hflip: bool = False, vflip: bool = False) -> Path:
    """Copy a video with a display matrix."""
    with av.open(str(source)) as have, av.open(str(target), "w") as wanted:
        stream = wanted.add_stream_from_template(have.streams.video[0])
        stream.set_display_rotation(degrees, hflip=hflip, vflip=vflip)
        for packet in have.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                wanted.mux(packet)
    return target


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize(("hflip", "vflip"), [(False, False), (True, False), (False, True)])
def test_turned_and_mirrored_videos_look_as_ffmpeg_shows_them(
    clips: Path, tmp_path: Path, degrees: int, hflip: bool, vflip: bool
) -> None:
    path = remux(clips / "base.mp4", tmp_path / "turned.mp4", degrees=degrees, hflip=hflip, vflip=vflip)
    source = open_path(path)
    picture = source.read()
    source.close()
    assert picture is not None
    size_px = SIZE_PX[::-1] if degrees % 180 else SIZE_PX
    assert picture.image.size_px == size_px
    expected = picture_of_ffmpeg(path, size_px)
    assert np.abs(picture.image_bgr.astype(int) - expected).mean() < 3
    small_px = size_px[0] // 4, size_px[1] // 4
    rows = expected.reshape(small_px[1], 4, small_px[0], 4, 3).mean(axis=(1, 3)) @ (0.114, 0.587, 0.299)
    assert np.abs(picture.image.grey(small_px) - (16 + rows * 219 / 255)).mean() < 3  # the plane has limited range


def test_an_odd_angle_is_not_applied_but_reported(clips: Path, tmp_path: Path) -> None:
    source = open_path(remux(clips / "base.mp4", tmp_path / "tilted.mp4", degrees=30))
    assert {picture.image.size_px for picture in read_all(source)} == {SIZE_PX}
    assert "30 degrees" in str(source.warning)


def test_the_default_stream_is_read_and_cover_art_is_not(clips: Path, tmp_path: Path) -> None:
    path = tmp_path / "several.mkv"
    small = ("-map", "0:v", "-s:v:0", "192x128", "-c:v:0", "libx264", "-disposition:v:0", "0")
    default = ("-map", "0:v", "-s:v:1", "48x32", "-c:v:1", "libx264", "-disposition:v:1", "default")
    ffmpeg("-i", clips / "base.mp4", *small, *default, path)
    (marked,) = [
        stream for stream in probe(path, "stream=width:stream_disposition=default") if stream["disposition"]["default"]
    ]
    assert {picture.image.size_px[0] for picture in read_all(open_path(path))} == {marked["width"]}
    cover = tmp_path / "cover.mp4"
    art = tmp_path / "art.png"
    ffmpeg("-i", clips / "base.mp4", "-frames:v", 1, "-s", "400x400", art)
    ffmpeg(
        "-i",
        art,
        "-i",
        clips / "base.mp4",
        "-map",
        0,
        "-map",
        1,
        "-c",
        "copy",
        "-disposition:v:0",
        "attached_pic",
        "-disposition:v:1",
        0,
        cover,
    )
    assert {picture.image.size_px for picture in read_all(open_path(cover))} == {SIZE_PX}


def test_the_larger_of_two_programs_is_read(clips: Path, tmp_path: Path) -> None:
    path = tmp_path / "programs.ts"
    ffmpeg(
        "-i",
        clips / "base.mp4",
        "-map",
        "0:v",
        "-map",
        "0:v",
        "-s:v:0",
        "48x32",
        "-c:v",
        "libx264",
        "-program",
        "title=a:st=0",
        "-program",
        "title=b:st=1",
        path,
    )
    assert {picture.image.size_px for picture in read_all(open_path(path))} == {SIZE_PX}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("wide.mp4", ("-vf", "scale=36:64,setsar=8/3", "-c:v", "libx264")),
        ("high.mkv", ("-vf", "scale=96:32,setsar=1/2", "-c:v", "libx264")),
        ("codec.ts", ("-vf", "scale=48:64,setsar=2", "-c:v", "libx264")),
        ("codec.h264", ("-vf", "scale=48:64,setsar=2", "-c:v", "libx264")),
        ("container.mkv", ("-c", "copy", "-aspect", "3:1")),
        ("jpeg.mov", ("-vf", "scale=48:64,setsar=2", "-c:v", "mjpeg", "-q:v", 2)),
    ],
)
def test_oblong_pixels_are_sent_square_and_the_annotated_video_keeps_its_aspect(
    clips: Path, tmp_path: Path, name: str, options: tuple[object, ...]
) -> None:
    path = tmp_path / name
    ffmpeg("-i", clips / "base.mp4", "-frames:v", 4, *options, path)
    facts = probe(path, "stream=width,height,sample_aspect_ratio,display_aspect_ratio")[0]
    aspect = Fraction(facts["sample_aspect_ratio"].replace(":", "/"))
    pictures = read_all(open_path(path))
    for picture in pictures:
        image = picture.image
        assert image.size_px == (facts["width"], facts["height"])
        assert image.pixel_aspect == aspect
        sent = encode(image, CameraSettings(source=name))
        shape = Fraction(facts["width"], facts["height"]) * aspect
        assert sent.image_size_px[0] / sent.image_size_px[1] == pytest.approx(float(shape), rel=0.02)
        assert sent.image_size_px >= image.size_px
    (tmp_path / "clip.tracks.jsonl").touch()
    video = annotate(CameraSettings(source=str(path)), tmp_path / "clip.tracks.jsonl", "clip", Silent())
    (annotated,) = probe(video, "stream=display_aspect_ratio")
    assert annotated["display_aspect_ratio"] == facts["display_aspect_ratio"]


def test_a_turned_video_of_oblong_pixels_has_them_turned(clips: Path, tmp_path: Path) -> None:
    oblong = tmp_path / "oblong.mp4"
    ffmpeg("-i", clips / "base.mp4", "-frames:v", 2, "-vf", "scale=48:64,setsar=2", "-c:v", "libx264", oblong)
    (picture, _) = read_all(open_path(remux(oblong, tmp_path / "turned.mp4", degrees=90)))
    assert picture.image.size_px == (64, 48)
    assert picture.image.pixel_aspect == Fraction(1, 2)


@pytest.mark.parametrize(
    ("name", "options", "fps"),
    [
        ("raw.h264", ("-c:v", "libx264", "-bf", 2), 25),
        ("fast.h264", ("-vf", "fps=50", "-c:v", "libx264"), 50),
        ("raw.hevc", ("-c:v", "libx265", "-x265-params", "log-level=none"), 25),
        ("raw.mjpeg", ("-c:v", "mjpeg"), 25),
        ("raw.m2v", ("-c:v", "mpeg2video", "-bf", 2), 25),
        ("b.avi", ("-c", "copy"), 25),
        ("c.avi", ("-c:v", "mpeg4", "-bf", 2), 25),
        ("film.mkv", ("-r", "24000/1001", "-c:v", "libx264"), 24000 / 1001),
    ],
)
def test_videos_without_presentation_times_have_their_true_rate(
    clips: Path, tmp_path: Path, name: str, options: tuple[object, ...], fps: float
) -> None:
    path = tmp_path / name
    ffmpeg("-i", clips / "base.mp4", *options, path)
    source = open_path(path)
    pictures = read_all(source)
    assert len(pictures) == len(probe(path, "frame=pict_type"))
    assert times_of(pictures) == pytest.approx([number / fps for number in range(len(pictures))], abs=0.0015)
    assert source.fps == pytest.approx(fps)
    assert source.warning is None


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("zero.mkv", "setts=pts=0:dts=0"),
        ("late.mkv", "setts=pts=if(eq(N\\,20)\\,PTS+2000\\,PTS)"),
        ("pairs.mkv", "setts=ts=floor(N/2)*80"),
        ("jump.mp4", "setts=ts=if(gte(N\\,20)\\,TS+40000/TB\\,TS)"),
    ],
)
def test_wrong_time_stamps_are_repaired(clips: Path, tmp_path: Path, name: str, filters: str) -> None:
    path = tmp_path / name
    ffmpeg("-i", clips / "plain.mp4", "-c", "copy", "-bsf:v", filters, path)
    source = open_path(path)
    pictures = read_all(source)
    assert times_of(pictures) == pytest.approx(even_times(FRAMES), abs=0.0015)
    assert [step > 0 for step in np.diff(times_of(pictures))] == [True] * (FRAMES - 1)
    assert ("time stamp" in str(source.warning)) == (name != "pairs.mkv")


@pytest.mark.parametrize("offset_s", [0, 7, 40_000])
def test_joined_recordings_go_on_and_are_written(clips: Path, tmp_path: Path, offset_s: int) -> None:
    parts = [tmp_path / "1.ts", tmp_path / "2.ts"]
    for part, offset in zip(parts, (0, offset_s), strict=True):
        ffmpeg("-i", clips / "base.mp4", "-c", "copy", "-output_ts_offset", offset, part)
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    source = open_path(path)
    times = times_of(read_all(source))
    gap_s = offset_s - (FRAMES - 1) / FPS - 2 / FPS if offset_s == 7 else 1 / FPS  # a pause of seconds may be one
    assert np.diff(times) == pytest.approx([1 / FPS] * (FRAMES - 1) + [gap_s] + [1 / FPS] * (FRAMES - 1), abs=0.001)
    assert ("1 jump" in str(source.warning)) == (offset_s != 7)
    (tmp_path / "clip.tracks.jsonl").touch()
    video = annotate(CameraSettings(source=str(path)), tmp_path / "clip.tracks.jsonl", "clip", Silent())
    assert times_of_ffprobe(video) == pytest.approx(times, abs=0.001)


@pytest.mark.parametrize("name", ["base.mp4", "late_start.mp4", "negative.mp4", "variable.mkv"])
def test_good_time_stamps_are_those_of_ffprobe(clips: Path, tmp_path: Path, name: str) -> None:
    how = {
        "base.mp4": (),
        "late_start.mp4": ("-output_ts_offset", 5),
        "negative.mp4": ("-output_ts_offset", -0.2, "-avoid_negative_ts", "disabled"),
        "variable.mkv": ("-bsf:v", "setts=ts=N*N*10"),
    }[name]
    path = tmp_path / name
    ffmpeg("-i", clips / ("plain.mp4" if how else "base.mp4"), "-c", "copy", *how, path)
    source = open_path(path)
    assert times_of(read_all(source)) == pytest.approx(times_of_ffprobe(path), abs=0.001)
    assert source.warning is None


def test_lost_packets_are_counted_and_every_frame_of_ffprobe_is_read(clips: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.ts"
    ffmpeg("-i", clips / "base.mp4", "-c", "copy", whole)
    data, rng = whole.read_bytes(), random.Random(3)
    packets = [data[start : start + 188] for start in range(0, len(data), 188)]
    path = tmp_path / "loss.ts"
    path.write_bytes(b"".join(packet for number, packet in enumerate(packets) if number < 20 or rng.random() > 0.03))
    source = open_path(path)
    pictures = read_all(source)
    assert len(pictures) >= len(probe(path, "frame=pict_type")) - 1
    assert "damaged" in str(source.warning)
    assert f"{len(pictures)} frames were read" in str(source.warning)
    clean = open_path(whole)
    read_all(clean)
    assert clean.warning is None


def test_garbage_between_packets_costs_no_picture_after_it(clips: Path, tmp_path: Path) -> None:
    """FFmpeg itself gives up after 64 kB without a packet."""
    path = tmp_path / "garbage.ts"
    ffmpeg("-i", clips / "plain.mp4", "-c", "copy", path)
    data = path.read_bytes()
    middle = len(data) // 188 // 2 * 188
    path.write_bytes(data[:middle] + bytes(300_000) + data[middle:])
    source = open_path(path)
    assert len(read_all(source)) >= FRAMES - 1
    assert "damaged" in str(source.warning)


H264, MPEG2 = ("-c:v", "libx264", "-bf", 2), ("-c:v", "mpeg2video", "-q:v", 2)
HEVC = ("-c:v", "libx265", "-x265-params", "log-level=none")


@pytest.mark.parametrize(
    ("first", "second", "lost"),
    [
        (H264, (*H264, "-s", "48x32"), 0),
        (H264, (*H264, "-pix_fmt", "yuv444p"), 0),
        (H264, (*H264, "-streamid", "0:300"), 0),
        (H264, (*H264, "-s", "192x128", "-streamid", "0:300"), 0),
        # where the codec changes, the parts have a packet in common
        (H264, MPEG2, 1),
        (MPEG2, H264, 1),
        (H264, HEVC, 1),
    ],
)
def test_a_stream_that_changes_on_the_way_goes_on(
    clips: Path, tmp_path: Path, first: tuple[object, ...], second: tuple[object, ...], lost: int
) -> None:
    parts = [tmp_path / "1.ts", tmp_path / "2.ts"]
    for part, how in zip(parts, (first, second), strict=True):
        ffmpeg("-i", clips / "base.mp4", *how, part)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    wanted = [(stream["width"], stream["height"]) for part in parts for stream in probe(part, "stream=width,height")]
    source = open_path(joined)
    sizes = [picture.image.size_px for picture in read_all(source)]
    assert sorted({*sizes}) == sorted({*wanted})
    assert 2 * FRAMES - lost <= len(sizes) <= 2 * FRAMES
    assert source.warning is not None


def test_a_playlist_without_an_end_is_read_at_once(clips: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "live.m3u8"
    ffmpeg("-i", clips / "base.mp4", "-c", "copy", "-f", "hls", "-hls_time", 0.4, "-hls_list_size", 0, playlist)
    text = playlist.read_text()
    assert text.count("EXTINF") > 1
    playlist.write_text(text.replace("#EXT-X-ENDLIST", ""))
    source = open_path(playlist)
    assert times_of(read_all(source)) == pytest.approx(even_times(FRAMES), abs=0.001)
    assert source.warning is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n", "list.m3u8 holds no video|list.m3u8 is not a video"),
        (
            '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI="own.ts"\n#EXTINF:1,\nown.ts\n',
            "is encrypted",
        ),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nmissing.ts\n#EXTINF:1,\nown.ts\n", None),
    ],
)
def test_playlists_that_cannot_be_read_whole_are_reported(
    clips: Path, tmp_path: Path, text: str, sentence: str | None
) -> None:
    """One that names itself, one with encrypted parts, and one with a part that is missing."""
    ffmpeg("-i", clips / "base.mp4", "-c", "copy", tmp_path / "own.ts")
    path = tmp_path / "list.m3u8"
    path.write_text(text)
    if sentence is not None:
        with pytest.raises(SourceRejected, match=sentence):
            read_all(open_path(path))
        return
    source = open_path(path)
    assert len(read_all(source)) == FRAMES
    assert "1 file that is missing" in str(source.warning)


OUTSIDE = ["../secret.mp4", "{outside}/secret.mp4", "file://{outside}/secret.mp4", "down/link.mp4"]
ADDRESSES = ["http://127.0.0.1:9/a.ts", "concat:a.mp4|b.mp4", "subfile,,start,0,end,9,,:a.mp4", "data:video/mp4,x"]


@pytest.mark.parametrize("form", ["m3u8", "master", "key", "ffconcat"])
@pytest.mark.parametrize("name", [*OUTSIDE, *ADDRESSES])
def test_playlists_name_files_of_their_own_folder_only(clips: Path, tmp_path: Path, form: str, name: str) -> None:
    ffmpeg("-i", clips / "base.mp4", "-c", "copy", "-movflags", "frag_keyframe+empty_moov", tmp_path / "secret.mp4")
    folder = tmp_path / "folder"
    (folder / "down").mkdir(parents=True)
    (folder / "down" / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (folder / "own.mp4").write_bytes((clips / "base.mp4").read_bytes())
    named = name.format(outside=tmp_path)
    own = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
    text = {
        "m3u8": f"{own}#EXTINF:1,\n{named}\n#EXT-X-ENDLIST\n",
        "master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{named}\n",
        "key": f'{own}#EXT-X-MAP:URI="{named}"\n#EXTINF:1,\nown.mp4\n#EXT-X-ENDLIST\n',
        "ffconcat": f"ffconcat version 1.0\nfile own.mp4\nfile '{named}'\n",
    }[form]
    path = folder / f"list.{form}"
    path.write_text(text)
    with pytest.raises(SourceRejected, match=r"is not in its folder|names an address") as caught:
        read_all(open_path(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["m3u8", "ffconcat"])
def test_playlists_name_any_file_where_that_is_allowed(clips: Path, tmp_path: Path, form: str) -> None:
    segment = tmp_path / "segment.ts"
    ffmpeg("-i", clips / "base.mp4", "-c", "copy", segment)
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / f"list.{form}"
    if form == "m3u8":
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.2,\n{segment}\n")
    else:
        path.write_text(f"ffconcat version 1.0\nfile '{segment}'\n")
    assert len(read_all(open_path(path, linked_files="any"))) == FRAMES
    segment.replace(folder / "segment.ts")
    path.write_text(path.read_text().replace(str(segment), "segment.ts"))
    assert len(read_all(open_path(path))) == FRAMES


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.mpd", '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'),
        ("a.sdp", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nm=video 9 RTP/AVP 96\r\n"),
        ("a.xml", "<CompositionPlaylist></CompositionPlaylist>"),
        ("a.srt", "1\n00:00:00,000 --> 00:00:01,000\nhello\n"),
    ],
)
def test_lists_descriptions_and_subtitles_are_refused_in_a_sentence(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SourceRejected, match=name) as caught:
        read_all(open_path(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("size", "what"), [("10000x6000", "megapixels"), ("70000x16", "65500")])
def test_too_large_pictures_are_refused_in_a_sentence(tmp_path: Path, size: str, what: str) -> None:
    path = tmp_path / "large.nut"
    picture = ("-f", "rawvideo", "-pix_fmt", "monob", "-s", size, "-i", "/dev/zero")
    ffmpeg(*picture, "-frames:v", 1, "-c:v", "rawvideo", path)
    with pytest.raises(SourceRejected, match=f"{size}.*{what}"):
        read_all(open_path(path))


def test_pictures_of_another_shape_are_drawn_whole(clips: Path, tmp_path: Path) -> None:
    """A bright square on black stays a square when the stream changes to another size."""
    parts = []
    for name, size in (("1.ts", "96x64"), ("2.ts", "64x96")):
        parts.append(tmp_path / name)
        square = f"color=black:s={size}:r={FPS},drawbox=x=16:y=16:w=32:h=32:color=white:t=fill"
        ffmpeg("-f", "lavfi", "-i", square, "-frames:v", 4, "-c:v", "libx264", "-pix_fmt", "yuv420p", parts[-1])
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    (tmp_path / "clip.tracks.jsonl").touch()
    video = annotate(CameraSettings(source=str(path)), tmp_path / "clip.tracks.jsonl", "clip", Silent())
    data = ffmpeg("-i", video, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    frames = np.frombuffer(data, np.uint8).reshape(-1, 64, 96)
    assert len(frames) == 8
    for frame, side in ((frames[0], 32), (frames[-1], 32 * 64 / 96)):
        rows, columns = (frame > 128).any(axis=1), (frame > 128).any(axis=0)
        assert rows.sum() == pytest.approx(side, abs=2)
        assert columns.sum() == pytest.approx(side, abs=2)
    assert list(itertools.pairwise(times_of_ffprobe(video)))
