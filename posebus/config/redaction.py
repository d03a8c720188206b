"""Hide credentials in addresses, and in texts that quote addresses, before they are shown, logged or published.

Of an address, only what is known to be harmless is shown: its scheme, host and port, parts of the path that read like
words, and known parameters. All else becomes ***, since a list of what to hide is never complete.
Where a text does not tell where an address ends, too much is hidden rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote

from posebus.config.harmless import HIDDEN, SECRET_NAME
from posebus.config.shown_address import shown_address, shown_query
from posebus.plain_text import MAX_CHARACTERS, plain

_SCHEMES = (
    r"rtsps?|rtmps?|rtmpe|rtmpt|rtp|srt|https?|rediss?|valkeys?|ftps?|sftp|udp|tcp|tls|unix|wss?|mms|whep|whip|onvif"
)
_TELLING = re.compile(r"[@=:/%\\\s]")
"""Without any of these, a text holds neither an address nor a named value. Most names of a report have none."""
_SCHEME = "[A-Za-z][A-Za-z0-9+.-]{0,20}"
_START = re.compile(
    rf"(?P<scheme>{_SCHEME})(?P<gap>://+)|(?<![A-Za-z0-9])(?P<known>{_SCHEMES})(?P<typo>:/|//)"
    # Encoded once or more, or as text inside of a text.
    rf"|(?P<coded>{_SCHEME})(?::|%(?:25)*3a|\\u003a|\\x3a)(?:\\+/|%(?:25)*2f|\\+u002f|\\+x2f){{2}}",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s\"'`<>,]")
_LOGIN_WITHOUT_SCHEME = re.compile(
    r"(?<![^\s\"'<(=\[])(?!\d+:)[^\s/.~\"'<@:]{1,200}:(?=\S)[^\n@]{0,100}\S{0,300}@(?=[\w\[*])"
)
_LOGIN_AFTER_TYPO = re.compile(r"(?<=[/;.\uff1a\uff0f])[^\s/@:\uff20]{1,200}:[^\s\uff20]{0,300}?\S[@\uff20](?=[\w\[*])")
"""A login behind what was meant to be a scheme: `rtsp//user:password@host`, also where a path made its slashes one."""
_WORD = re.compile(r"[^\s/@:?#&=;,\"'<>%\\]+")
_BLANK = re.compile(r"\s")
_FIELD = re.compile(r"[\s-]*[\w.-]*(?:source|redis|url|address)(?:: *|=)", re.IGNORECASE)
_PROSE = re.compile(r"[a-z]+(?:'[a-z]+)?[,.;:!?]*|[-–—(]|\([a-z]+")
_ENDS = "'\"`)>]},.;:!?"

_NAMED = re.compile(
    # password=x, "password": "x", --password x
    rf"(?P<name>{SECRET_NAME})(?P<sign>\\*[\"']?\s*=>?\s*|\\*[\"']\s*:\s*|:[ \t]*|(?<=--password)[ ]+)"
    r"(?P<value>\\*\"(?:[^\"\\]|\\.)*\"?|\\*'(?:[^'\\]|\\.)*'?|[^\s&,;\"']+)",
    re.IGNORECASE,
)
LONGEST_ADDRESS = 2000
REMEMBERED_CHARACTERS = 300
_HEADER = re.compile(
    r"\b(?P<name>(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*(?:key|token|auth)[\w-]*|bearer|digest|basic)"
    r"(?P<sign>\\*[\"']?\s*[:=]\s*|\s+)(?P<value>[^\r\n]+)",
    re.IGNORECASE,
)
_CREDENTIAL = re.compile(r"(?=\S*[\d=/+_:.-])\S{4,}|.*[:=].*")
_QUERY = re.compile(r"(?<![\w:/])(?:[\w.\-\[\]/]{0,100}\?)?[\w.\-\[\]]{1,60}=[^\s&;\"']*[&;][\w.\-\[\]%]+=[^\s\"']*")


def redact_text(text: str) -> str:
    """`text` with the credentials of every address in it hidden, and those in parameters, headers and JSON."""
    if not _TELLING.search(text):
        return text
    parts: list[str] = []
    found = list(_START.finditer(text))
    limits = _limits(text, [match.start() for match in found])
    rest = 0
    for index, match in enumerate(found):
        if match.start() < rest:
            continue
        following = limits[index]
        end = text.find("\n", match.start(), following)
        shown, end = _address_in(text, match, following if end < 0 else end)
        parts += [_outside(text[rest : match.start()]), shown]
        rest = end
    return "".join([*parts, _outside(text[rest:])])


def _limits(text: str, begins: list[int]) -> list[int]:
    """Where the address that begins at each of `begins` ends at the latest.

    An address may hold another one, or a password with "://": what no mark separates is one address.
    """
    limits = [len(text)] * len(begins)
    for index in range(len(begins) - 2, -1, -1):
        is_apart = _BETWEEN.search(text, begins[index], begins[index + 1])
        limits[index] = begins[index + 1] if is_apart else limits[index + 1]
    return limits


def harmless(text: str, most: int = MAX_CHARACTERS) -> str:
    """`text` of others for a reader: one line of at most `most` characters, without credentials and control characters.

    Credentials are hidden before the text is cut, since half an address does not look like one.
    """
    if len(text) <= REMEMBERED_CHARACTERS:
        return _harmless_short(text, most)
    return plain(redact_text(text[: most + LONGEST_ADDRESS]), most)


@lru_cache(maxsize=8192)
def _harmless_short(text: str, most: int) -> str:
    """The same for a short text, remembered: every process reads the reports of all others once a second."""
    return plain(redact_text(text), most)


def redact_url(address: str) -> str:
    """`address` with all of it hidden that may be a credential; a text that is no URL is treated as by `redact_text`.

    Unlike there, a space does not end the address, since the text is nothing but the address.
    """
    match = _START.match(address)
    if match is None:
        return redact_text(address)
    if match["coded"]:
        return f"{match['coded']}://{HIDDEN}"
    return shown_address(match["scheme"] or match["known"], match["gap"] or match["typo"], address[match.end() :])


def redact_known(text: str, *addresses: str, least: int = 1) -> str:
    """`redact_text(text)`, with all hidden that the text quotes of the hidden parts of these addresses.

    Libraries quote parts of an address: "Port could not be cast to integer value as 'PASSWORD'". Parts of fewer than
    `least` characters stay, for texts that are about more than the addresses.
    """
    text = redact_text(text)
    secrets = secret_parts(addresses, least)
    return secrets.sub(HIDDEN, text) if secrets is not None else text


def secret_parts(addresses: Iterable[str], least: int) -> re.Pattern[str] | None:
    """A pattern of the words of `addresses` that are not shown, of at least so many characters; None without any."""
    found: set[str] = set()
    for address in addresses:
        shown = set(_WORD.findall(redact_url(address)))
        for form in (address, unquote(address)):
            found |= {word for word in _WORD.findall(form) if len(word) >= least} - shown
    if not found:
        return None
    words = "|".join(map(re.escape, sorted(found, key=len, reverse=True)))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])")


def _address_in(text: str, match: re.Match[str], limit: int) -> tuple[str, int]:
    """The address that begins at `match` as it is shown, and where it ends in `text`, at most at `limit`."""
    scheme = match["scheme"] or match["known"] or match["coded"]
    begin, after_login = match.end(), text.rfind("@", match.end(), limit) + 1
    before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    end, is_quoted = _end_of(text, max(begin, after_login), limit, text[match.start() - 1 : match.start()])
    shown = shown_address(scheme, match["gap"] or match["typo"], text[begin:end])
    if _FIELD.fullmatch(before) and (shown.endswith(HIDDEN) or not _reads_on(text[end:limit])):
        # A line of a configuration, all of which is the address.
        end, is_quoted = limit, True
        shown = shown_address(scheme, match["gap"] or match["typo"], text[begin:end])
    if match["coded"]:
        return f"{scheme}://{HIDDEN}", end
    if shown.endswith(HIDDEN) and not text[begin:end].endswith(HIDDEN) and not is_quoted:
        end = _end_of_secret(text, end, limit)
    return shown, end


def _end_of(text: str, start: int, limit: int, quote: str) -> tuple[int, bool]:
    """Where an address ends that began before `start`, after its login, and whether a quotation mark tells so."""
    blank = _BLANK.search(text, start, limit)
    end = limit if blank is None else blank.start()
    if quote in ("'", '"', "<", "`"):
        mark = re.compile(rf"\\{{0,8}}{'>' if quote == '<' else quote}(?=$|[\s,}}\]):;.])")
        # The last one of the word: a value may hold the same mark.
        closing = [*mark.finditer(text, start, end)][-1:] or [*islice(mark.finditer(text, end, limit), 1)]
        if closing:
            return closing[0].start(), True
    return start + len(text[start:end].rstrip(_ENDS)), False


def _reads_on(text: str) -> bool:
    """Whether a sentence goes on with `text`."""
    words = text.split(maxsplit=3)[:3]
    return len(words) == 3 and all(map(_PROSE.fullmatch, words))


def _end_of_secret(text: str, end: int, limit: int) -> int:
    """The end of a secret with blanks in it: words after it that do not read like a sentence belong to it."""
    for word in re.compile(r"\s+(\S+)").finditer(text, end, limit):
        if word.start() != end and text[end : word.start()].strip(_ENDS):
            break
        if _PROSE.fullmatch(word[1]) or text[end : word.start()].strip():
            break
        end = word.start() + len(word[0].rstrip(_ENDS))
    return end


def _outside(text: str) -> str:
    """A text without an address: parameters, logins without a scheme, headers, and names with values."""
    text = _LOGIN_WITHOUT_SCHEME.sub(f"{HIDDEN}@", text)
    text = _LOGIN_AFTER_TYPO.sub(f"{HIDDEN}@", text)
    text = _QUERY.sub(_shown_option, text)
    text = _HEADER.sub(_shown_header, text)
    return _NAMED.sub(_shown_named, text)


def _shown_option(match: re.Match[str]) -> str:
    before, sign, query = match[0].rpartition("?") if "?" in match[0].partition("=")[0] else ("", "", match[0])
    return before + sign + shown_query(query)


def _shown_header(match: re.Match[str]) -> str:
    # "basic words" is prose, "Basic QWxhZGRpbg==" is not.
    words = match["value"].split()
    is_header = match["sign"].strip() or _CREDENTIAL.fullmatch(words[0])
    if not is_header or HIDDEN in words[0]:
        return match[0]
    return f"{match['name']}{match['sign']}{HIDDEN}"


def _shown_named(match: re.Match[str]) -> str:
    value = match["value"]
    bare = value.strip("\\\"'")
    if not bare or bare.startswith(HIDDEN):
        return match[0]
    # "a wrong password: check it" is a sentence.
    if match["sign"].strip() == ":" and _PROSE.fullmatch(value):
        return match[0]
    opening = re.match(r"\\*[\"']?", value)
    quote = opening[0] if opening is not None else ""
    return f"{match['name']}{match['sign']}{quote}{HIDDEN}{quote}"
