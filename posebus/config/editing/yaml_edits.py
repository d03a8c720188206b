"""Setting and removing single fields in the text of a YAML file. All other bytes of the text stay as they are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from posebus.config.editing.meaning import Meaning, meaning, with_value, without
from posebus.config.editing.yaml_parts import YamlPart, end_of_colon, parse
from posebus.config.problems import FieldPath
from posebus.errors import ConfigError

STEP = 2
"""Spaces by which a file that has no indented lines yet is indented."""


class _Removed:
    """The type of REMOVED."""


REMOVED: Final = _Removed()
"""The value of an edit that removes its field."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One field with its new value, plain data; or REMOVED, which takes it out with all below it."""

    path: FieldPath
    value: object


def edited(text: str, edit: Edit) -> str:
    """`text` with one field changed. Removing a field that is not there, or is merged from elsewhere, changes nothing.

    Comments outside of what is removed stay. Raises ConfigError where the text is no YAML or is written in a form in
    which a change would reach further than the field.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix(mark)
    root = parse(body)
    if isinstance(edit.value, _Removed):
        new = body if root is None else _without(body, root, edit.path)
        wanted = without(meaning(root), edit.path)
    else:
        new = _appended(body, edit) if root is None else _with(body, root, edit)
        _, (value,) = meaning(parse(f"[{as_yaml(edit.value, in_brackets=True)}]"))
        wanted = with_value(meaning(root), edit.path, value)
    if not _says(new, wanted):
        raise ConfigError(f"{'.'.join(edit.path)} is written in a form that cannot be changed: edit the file by hand")
    return mark + new


def as_yaml(value: object, *, in_brackets: bool = False) -> str:
    """`value` on one line, quoted where the reader of configurations would take it for something else.

    in_brackets: whether it will stand between braces, where more characters have a meaning.
    """
    import yaml

    whole = [value] if in_brackets or isinstance(value, dict | list | tuple) else value
    style = '"' if isinstance(value, str) and not value.isprintable() else None
    shown = yaml.safe_dump(
        whole, default_flow_style=True, default_style=style, width=2**20, allow_unicode=True, sort_keys=False
    )
    line = str(shown).strip().removesuffix("\n...")
    return line[1:-1] if whole is not value else line


def _says(text: str, wanted: Meaning) -> bool:
    try:
        return bool(meaning(parse(text)) == wanted)
    except ConfigError:
        return False


def _with(text: str, root: YamlPart, edit: Edit) -> str:
    part, above = root, None
    for depth, name in enumerate(edit.path):
        rest = edit.path[depth:]
        _need_mapping(part, edit.path[:depth], edit.path)
        if part.is_empty and above is not None and (part.kind == "scalar" or not above[1].is_flow):
            return _filled(text, above, part, _lines(rest, edit.value, _step(text)))
        entry = part.find(name)
        if entry is None:
            return _inserted(text, part, rest, edit.value)
        above, part = (entry[0], part), entry[1]
    if above is None:
        return text
    key, mapping = above
    return _replaced(text, key, part, as_yaml(edit.value, in_brackets=mapping.is_flow))


def _without(text: str, root: YamlPart, path: FieldPath) -> str:
    part, above = root, None
    for depth, name in enumerate(path):
        if part.is_empty:
            return text
        _need_mapping(part, path[:depth], path)
        entry = part.find(name)
        if entry is None:
            return text
        if depth == len(path) - 1:
            _refuse_if_used(root, entry[1], path)
            return _taken_out(text, part, entry, above)
        above, part = entry[0], entry[1]
    return text


def _need_mapping(part: YamlPart, path: FieldPath, whole: FieldPath) -> None:
    shown = ".".join(path) or "the file"
    if part.kind == "alias":
        raise ConfigError(
            f"{shown} is written as *{part.name}, and a change of {'.'.join(whole)} would change everything else that "
            f"is written so: write '<<: *{part.name}' under it instead, and then try again"
        )
    if part.kind != "mapping" and not part.is_empty:
        raise ConfigError(f"{shown} holds no fields")


def _refuse_if_used(root: YamlPart, removed: YamlPart, path: FieldPath) -> None:
    """Other values may be aliases of what is removed, and would then mean nothing."""
    inside = {id(one) for one in removed.walk()}
    anchors = {one.anchor for one in removed.walk() if one.anchor is not None}
    used = [one.name for one in root.walk() if one.kind == "alias" and id(one) not in inside and one.name in anchors]
    if used:
        raise ConfigError(
            f"{'.'.join(path)} is used elsewhere in the file, as *{used[0]}: write its fields there, then remove it"
        )


def _appended(text: str, edit: Edit) -> str:
    """A text that holds comments at most, with the field at its end."""
    newline = _newline(text)
    begin = text if not text or text.endswith(("\n", "\r")) else text + newline
    return begin + "".join(line + newline for line in _lines(edit.path, edit.value))


def _lines(path: FieldPath, value: object, step: int = STEP) -> list[str]:
    """The lines of a new entry, without indentation; a mapping has a line for each of its fields."""
    name, *rest = path
    if rest:
        value = {rest[0]: value} if len(rest) == 1 else {rest[0]: _nested(tuple(rest[1:]), value)}
    if not isinstance(value, dict) or not value:
        return [f"{as_yaml(name)}: {as_yaml(value)}"]
    inner = [line for key, item in value.items() for line in _lines((str(key),), item, step)]
    return [f"{as_yaml(name)}:", *(" " * step + line for line in inner)]


def _nested(path: FieldPath, value: object) -> dict[str, object]:
    return {path[0]: value if len(path) == 1 else _nested(path[1:], value)}


def _replaced(text: str, key: YamlPart, old: YamlPart, new: str) -> str:
    colon = end_of_colon(text, key)
    if old.kind == "scalar" and old.begin == old.end:
        return f"{text[:colon]} {new}{text[colon:]}"
    if "\n" not in text[colon : old.begin]:
        space = "" if text[old.begin - 1 : old.begin] in {" ", "\t"} else " "
        return text[: old.begin] + space + new + text[old.end :]
    # A list in lines of its own; a comment behind the key stays.
    kept = text[colon : _line_begin(text, old.begin)]
    return f"{text[:colon]} {new}{kept}{text[_next_line(text, old.end) :]}"


def _filled(text: str, above: tuple[YamlPart, YamlPart], empty: YamlPart, lines: list[str]) -> str:
    """`text` with `lines` below a key that holds nothing yet."""
    key, mapping = above
    if mapping.is_flow:
        raise ConfigError(f"{key.name} is empty within brackets: write it on a line of its own, and then try again")
    colon = end_of_colon(text, key)
    if empty.end > empty.begin:
        text = text[:colon] + text[empty.end :]
    indent = _indent(text, key.begin)
    position = _after_comments(text, _next_line(text, colon), indent + 1)
    return _put_lines(text, position, lines, indent + _step(text))


def _inserted(text: str, mapping: YamlPart, path: FieldPath, value: object) -> str:
    """`text` with one more entry at the end of `mapping`."""
    if mapping.is_flow:
        name, *rest = path
        value = _nested(tuple(rest), value) if rest else value
        entry = f"{as_yaml(name, in_brackets=True)}: {as_yaml(value, in_brackets=True)}"
        if not mapping.entries:
            return text[: mapping.begin + 1] + entry + text[mapping.begin + 1 :]
        return f"{text[: mapping.end_of_entries]}, {entry}{text[mapping.end_of_entries :]}"
    indent = _column(text, mapping.entries[0][0].begin)
    lines = _lines(path, value, _step(text))
    position = _after_comments(text, _next_line(text, mapping.end), indent)
    if len(lines) > 1 and _are_apart(text, mapping):
        lines = ["", *lines]
    return _put_lines(text, position, lines, indent)


def _taken_out(text: str, mapping: YamlPart, entry: tuple[YamlPart, YamlPart], above: YamlPart | None) -> str:
    key, value = entry
    if mapping.is_flow:
        return _taken_out_of_flow(text, mapping, key, value)
    indent = _column(text, key.begin)
    begin = _line_begin(text, key.begin)
    end = _after_comments(text, _next_line(text, value.end), indent + 1)
    if len(mapping.entries) == 1 and above is not None:
        colon = end_of_colon(text, above)
        return f"{text[:colon]} {{}}{text[colon:begin]}{text[end:]}"
    before = text[:begin]
    if re.search(r"\n[ \t]*\r?\n$", before) and re.match(r"[ \t]*(?:\r?\n|$)", text[end:]):
        before = re.sub(r"[ \t]*\r?\n$", "", before)  # of the two empty lines one is left
    return before + text[end:]


def _taken_out_of_flow(text: str, mapping: YamlPart, key: YamlPart, value: YamlPart) -> str:
    end = max(key.end, value.end)
    following = re.compile(r"\s*,[ \t]*").match(text, end)
    if following is not None:
        return text[: key.begin] + text[following.end() :]
    before = re.search(r",?\s*$", text[mapping.begin + 1 : key.begin])
    begin = key.begin if before is None else mapping.begin + 1 + before.start()
    return text[:begin] + text[end:]


def _put_lines(text: str, position: int, lines: list[str], indent: int) -> str:
    newline = _newline(text)
    before = text[:position]
    if before and not before.endswith(("\n", "\r")):
        before += newline
    return before + "".join((" " * indent + line if line else "") + newline for line in lines) + text[position:]


def _after_comments(text: str, position: int, indent: int) -> int:
    """`position`, the begin of a line, or after the last comment from there on that is indented so far at least."""
    after = position
    while position < len(text):
        end = _next_line(text, position)
        line = text[position:end].strip()
        if line and not (line.startswith("#") and _indent(text, position) >= indent):
            break
        position = end
        after = position if line else after
    return after


def _are_apart(text: str, mapping: YamlPart) -> bool:
    """Whether empty lines stand between the last entries of `mapping`."""
    if len(mapping.entries) < 2:
        return False
    (_, before), (key, _) = mapping.entries[-2:]
    return re.search(r"\n[ \t]*\r?\n", text[before.end : key.begin]) is not None


def _line_begin(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _next_line(text: str, index: int) -> int:
    """The begin of the line after that of `index`; the end of the text after the last one."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _column(text: str, index: int) -> int:
    return index - _line_begin(text, index)


def _indent(text: str, index: int) -> int:
    """Spaces before the first character of the line of `index`."""
    line = text[_line_begin(text, index) : _next_line(text, index)]
    return len(line) - len(line.lstrip(" "))


def _step(text: str) -> int:
    """By how many spaces the first indented field of the file is indented."""
    found = re.search(
        r"^[^\s#][^\n]*:[ \t]*(?:[&#][^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( +)[^\s#-]", text, re.MULTILINE
    )
    return len(found[1]) if found is not None else STEP


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
