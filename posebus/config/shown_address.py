"""One address as it may be shown: its host, and of its path and parameters what tells nothing secret. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

from posebus.config.harmless import (
    HIDDEN,
    SECRET_WORD,
    SHOWN_PARAMETERS,
    is_harmless_part,
    is_harmless_stream,
    is_harmless_value,
)

_HOST = re.compile(r"[\w.-]*(?::\d{1,5})?(?:,[\w.-]+(?::\d{1,5})?)*|\[[0-9a-f:.%\w]*\]?(?::\d{1,5})?", re.IGNORECASE)
_IN_QUERY = re.compile(r"([&;?])")
_IN_PATH = re.compile(r"([&;?]|(?<=[\w*])_(?=[A-Za-z]+=))")
"""Between parameters; in a path, cameras write user=admin_password=x_channel=1, too."""
_PARAMETER_BEGINS = re.compile(rf"=|/(?:{SECRET_WORD})/", re.IGNORECASE)


def shown_address(scheme: str, gap: str, rest: str) -> str:
    """An address whose part after the scheme is `rest`, as it may be shown."""
    # Up to the last @, since pasted passwords may contain / and @.
    login, at, place = rest.rpartition("@")
    if _has_host(login):
        # The @ may as well belong to a parameter, and what follows it to a password.
        return f"{scheme}{gap}{HIDDEN}"
    shown = f"{scheme}{gap}{HIDDEN if login else ''}{at}"
    host, tail = _split(place, "/?#&;\\")
    if not _HOST.fullmatch(host):
        # A login without a host, or cut off before it: "rtsp://user:secret".
        return shown + HIDDEN
    path, query = _split(tail, "?#")
    shown += host + _shown_path(path, scheme.lower())
    if not query:
        return shown
    parameters, fragment = (query, "") if query[0] == "#" else _split(query, "#")
    if query[0] == "#":
        return shown + (query if is_harmless_part(query[1:]) and not shown.endswith(HIDDEN) else f"#{HIDDEN}")
    told = shown_query(parameters[1:])
    shown += f"?{told}"
    if not fragment:
        return shown
    # A # may also belong to a value that had to be hidden.
    return shown + (fragment if HIDDEN not in told and is_harmless_part(fragment[1:]) else f"#{HIDDEN}")


def _has_host(login: str) -> bool:
    """Whether what seems to be a login, up to the last @, could be a host with a path or parameters.

    In "me:p@ss/word@cam" it is a password; with a parameter, as in "me:pw@cam/live?token=a@b", nobody can tell.
    """
    last_parameter = max((found.start() for found in _PARAMETER_BEGINS.finditer(login)), default=-1)
    for found in re.finditer(r"(?:^|@)([^@/?#]*)(?=[/?#])", login):
        is_first = found.start() == 0 and not found[0].startswith("@")
        if (is_first or found.end() <= last_parameter) and _HOST.fullmatch(found[1]):
            return True
    return False


def _shown_path(path: str, scheme: str) -> str:
    if scheme in {"file", "unix"}:
        return path
    shown: list[str] = []
    is_next_secret = False
    for index, part in enumerate(path.split("/")):
        decoded = unquote(part)
        has_parameters = bool(re.search(r"[=&;]", decoded))
        # Of RTMP, all after the first part is the key of the stream, which lets anybody send it.
        harmless = is_harmless_stream(decoded) if scheme.startswith("rtmp") and index > 1 else is_harmless_part(decoded)
        if not part or part == HIDDEN:
            shown.append(part)
        elif is_next_secret:
            shown.append(HIDDEN)
        elif has_parameters:
            shown.append(shown_query(part, _IN_PATH))
            is_next_secret = HIDDEN in shown[-1]
        elif re.fullmatch(SECRET_WORD, decoded, re.IGNORECASE):
            shown.append(part)
            is_next_secret = True
        else:
            shown.append(part if harmless else HIDDEN)
        if part and index and not has_parameters and shown[-1] == HIDDEN:
            is_next_secret = False
    return "/".join(shown)


def shown_query(query: str, separators: re.Pattern[str] = _IN_QUERY) -> str:
    """`query` with the values of all parameters hidden that are not known to be harmless."""
    pieces = separators.split(query)
    return "".join(piece if index % 2 else _shown_parameter(piece) for index, piece in enumerate(pieces))


def _shown_parameter(parameter: str) -> str:
    name, sign, value = parameter.partition("=")
    known = name.lower() in SHOWN_PARAMETERS
    if not sign:
        return name if known or not name else HIDDEN
    plain_name = re.fullmatch(r"[A-Za-z][\w.-]*(?:\[\])?", name) and is_harmless_part(name.removesuffix("[]"))
    shown = not value or (known and is_harmless_value(value))
    return f"{name if known or plain_name else HIDDEN}={value if shown else HIDDEN}"


def _split(text: str, marks: str) -> tuple[str, str]:
    """`text` before the first of `marks`, and the rest with it."""
    found = re.search(f"[{re.escape(marks)}]", text)
    return (text, "") if found is None else (text[: found.start()], text[found.start() :])
