"""What of an address may be shown: words and numbers of a path, and parameters that are no credentials. Pure."""

from __future__ import annotations

import re

HIDDEN = "***"

SECRET_WORD = (
    r"pass(?:word|wort|wd|phrase|code|key)?|pwd|psw|pswd|passw|pas|pw|login|logon|user(?:name)?|usr|token|secret|auth(?:orization)?"
    r"|cred(?:ential)?s?|api_?key|key|psk|pin|sig(?:nature)?|session(?:id)?|sid|cookie|bearer|jwt"
)
"""A word after which a credential follows."""
SECRET_NAME = (
    r"(?<![\w.\-\[\]%*])(?:"
    r"[\w.\-\[\]%]{0,60}(?:passw|passphrase|passcode|passkey|pwd|psw|token|secret|credential|authori|api_?key)[\w.\-\[\]%]{0,60}"
    rf"|(?:[\w.\-%]{{0,60}}[_.\-])?(?:{SECRET_WORD})(?:[_.\-\[][\w.\-\[\]]{{0,60}})?"
    r"|[\w.\-%]{0,60}(?:key|pass|pas|pwd|psk|login|usr)|auth\w{1,60})"
)
"""The name of a parameter or a field whose value is a credential."""

_SHOWN = (
    "action audio bg bitrate bitspersec brightness cam camera camera_id cameraid ch chan channel channel_id "
    "channelid chn cmd codec color compression db decode_responses delay display drop duration enctype format fps "
    "framerate gop h health_check_interval height imagesize img imgprof input jitter keyint language level "
    "linecodec loop lossless max_connections media mode mosaic motion net no nr number overlay page people port "
    "probesize profile proto protocol q qp quad quality rate real_stream real_stream--rtp-caching realtime res "
    "resolution rotate rotation rtsp_transport scale seconds seed size snapshot socket_connect_timeout "
    "socket_timeout speed ssl_ca_certs ssl_ca_path ssl_cert_reqs ssl_certfile ssl_check_hostname ssl_keyfile "
    "start stream stream_id streamprofile streamtype stype subtype tcp timeout transport transportmode type udp "
    "unicast v variant version video video_codec videocodec videokeyframeinterval view w wait width x y z zoom "
)
SHOWN_PARAMETERS = frozenset(_SHOWN.split())
"""Parameters that cameras and brokers take and that tell nothing secret; SRT has logins in its streamid."""

_CODEC = r"h\.?26[345]|mpeg4|mp4|m3u8|m4[sv]|av1|vp[89]|g711|3gp|640x480"
_NAMES = (
    r"live|streams?|streaming|cam(?:era)?s?|chan(?:nel)?s?|ch|main|sub|test|video|videos|feed|preview|profile|media|demo|hd|sd|onvif"
    r"|input|output|sensor|lens|track|port|view|image|img|snap|snapshot|pic|picture|mjpe?g|jpe?g|axis|unicast|multicast|play|mpeg"
    r"|source|src|screen|webcam|rtsp|entrance|door|gate|hall|lobby|room|floor|yard|garage|parking|front|back|street|app|av|ipcam"
)
"""Names of streams and places, which may have a number: stream2, ch0, hall1."""
_WORDS = re.compile(
    # h264Preview, mp4; stream2, c1; Streaming; 101, 1080p, 640x480
    rf"(?:{_CODEC})(?:{_NAMES})?\d{{0,4}}|(?:(?:{_NAMES}){{1,3}}|[a-z]{{1,2}})\d{{0,4}}|[^\W\d_]{{1,24}}|\d{{1,8}}(?:[x:]\d{{1,5}}|[a-z]{{1,3}})?",
    re.IGNORECASE,
)
_STREAM_NAME = re.compile(rf"(?:{_NAMES}|[-_.]|\d{{1,3}})+(?:\.(?:flv|mp4|sdp))?", re.IGNORECASE)
_VALUE = re.compile(r"[\w./:,+ -]{1,64}")
MAX_PART = 64
MAX_DIGITS = 16
"""A date and a time, as in 20261130-120000."""


def is_harmless_part(part: str) -> bool:
    """Whether a part of a path (or a name) reads like words and numbers, and not like a key."""
    words = _words_of(part)
    names_secret = len(words) > 1 and any(re.fullmatch(SECRET_WORD, word, re.IGNORECASE) for word in words)
    return len(part) <= MAX_PART and not names_secret and _are_words(words)


def is_harmless_stream(part: str) -> bool:
    """Whether a part of a path is one of the usual names of a stream: `live`, `ch0`, `camera-1`."""
    return len(part) <= MAX_PART and _STREAM_NAME.fullmatch(part) is not None


def is_harmless_value(value: str) -> bool:
    """Whether the value of a known parameter is a word, a number, a size or a file."""
    if _VALUE.fullmatch(value) is None:
        return False
    return _are_words(_words_of(value))


def _words_of(text: str) -> list[str]:
    return [word for word in re.split(r"[-_.,+~ ():!/]+", text) if word]


def _are_words(words: list[str]) -> bool:
    digits = sum(len(word) for word in words if word.isdecimal())
    return digits <= MAX_DIGITS and all(_is_word(word) for word in words)


def _is_word(word: str) -> bool:
    if not _WORDS.fullmatch(word):
        return False
    letters = [letter for letter in word if letter.isalpha()]
    humps = len(re.findall(r"[a-z][A-Z]", word))
    vowels = sum(letter.lower() in "aeiouyäöüéèáàóíú" for letter in letters)
    # Letters at random: they change their case all the time, or are consonants only.
    return humps <= max(1, len(letters) // 4) and (len(letters) < 9 or not word.isascii() or vowels * 6 >= len(letters))
