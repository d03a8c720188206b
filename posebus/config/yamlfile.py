"""A YAML file as plain data, together with the line of every field.

PyYAML's own loading discards line numbers and silently takes the second of two equal keys, so this module reads the
node tree that PyYAML composes first. Keys are always text (a camera may be called `no` or `7`); values follow YAML.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from posebus.config.problems import FieldPath, Problem, SourceLocation
from posebus.errors import ConfigError

if TYPE_CHECKING:
    import yaml

MAX_FILE_BYTES = 4_000_000
"""Far more than any configuration needs; a recording given by mistake is not read into memory."""

MAX_DEPTH = 20
"""No field lies deeper than a few levels. Much deeper values overflow the stack of code that only shows them."""

_MERGE_TAG = "tag:yaml.org,2002:merge"
_BOOL_TAG = "tag:yaml.org,2002:bool"
_WORDS = frozenset({"off", "on", "no", "yes"})
_Entries = dict[str, tuple["yaml.Node", "yaml.Node"]]


class YamlFile:
    """`data`: the file's content; `problems`: what is wrong with it as YAML (`data` then has the part that was read).

    `unreadable`: the fields whose values could not be read. They are None in `data`, or only partly there; validation
    must not report them and what is in them a second time.
    """

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        """Read `path`, or take the `content` that was read from it.

        Raises ConfigError if the file cannot be read at all or PyYAML is not installed.
        """
        self.path = path
        self.problems: list[Problem] = []
        self.unreadable: set[FieldPath] = set()
        self._open: list[yaml.Node] = []
        self._known: dict[int, object] = {}
        self._entries_of: dict[int, _Entries] = {}
        self._root = self._compose(_text(path, content))
        self.data = None if self._root is None else self._convert(self._root, ())

    def location_of(self, path: FieldPath) -> SourceLocation:
        """Location of the key of `path`, or of the nearest key above it that exists."""
        found: yaml.Node | None = None
        node = self._root
        for name in path:
            entries = {} if node is None else self._entries(node)
            if name not in entries:
                break
            found, node = entries[name]
        return self._location(path, found or self._root)

    def has(self, path: FieldPath) -> bool:
        """Whether the file contains `path`."""
        node = self._root
        for name in path:
            entries = {} if node is None else self._entries(node)
            if name not in entries:
                return False
            node = entries[name][1]
        return True

    def _location(self, path: FieldPath, node: yaml.Node | None) -> SourceLocation:
        mark = node.start_mark if node is not None else None
        line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        return SourceLocation(str(self.path), ".".join(path), line, column)

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            import yaml
        except ImportError:
            raise ConfigError(
                f"reading {self.path} needs PyYAML, which is not installed: "
                "pip install '.[stage]' in the checkout of posebus"
            ) from None
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
            problem = f"is not valid YAML: {error.problem or error.context}"
            self.problems.append(
                Problem(SourceLocation(str(self.path), "", line, column), problem, _syntax_hint(error))
            )
        except yaml.YAMLError as error:
            self.problems.append(
                Problem(SourceLocation(str(self.path), ""), f"is not valid YAML: {str(error).splitlines()[0]}")
            )
        except RecursionError:
            self.problems.append(
                Problem(SourceLocation(str(self.path), ""), "is not a configuration: it is nested too deeply")
            )
        return None

    def _convert(self, node: yaml.Node, path: FieldPath) -> object:
        # Aliases let one node appear many times. Each node is converted once: a small file could unfold to billions.
        if id(node) in self._known:
            return self._known[id(node)]
        if any(node is ancestor for ancestor in self._open):
            self.problems.append(Problem(self._location(path, node), "refers to itself through an alias"))
            return None
        if len(self._open) == MAX_DEPTH:
            self.problems.append(Problem(self._location(path[:3], node), "is nested too deeply"))
            self.unreadable.add(path[:1])
            return None
        self._open.append(node)
        value = self._value(node, path)
        self._open.pop()
        self._known[id(node)] = value
        return value

    def _value(self, node: yaml.Node, path: FieldPath) -> object:
        import yaml

        if isinstance(node, yaml.MappingNode):
            entries = self._entries(node, self._report_duplicate(path))
            return {name: self._convert(value, (*path, name)) for name, (_, value) in entries.items()}
        if isinstance(node, yaml.SequenceNode):
            return [self._convert(item, (*path, str(index))) for index, item in enumerate(node.value)]
        if node.tag == _BOOL_TAG and node.value.lower() in _WORDS:
            # YAML 1.1 reads `motion_gate: off` as false. As text it is what it says, and settings that are true or
            # false take these words, too.
            return str(node.value).lower()
        try:
            constructor = yaml.constructor.SafeConstructor()
            return constructor.construct_object(node)
        except yaml.constructor.ConstructorError:
            problem = f"has the tag {node.tag}, which posebus does not support"
        except (ValueError, OverflowError, LookupError, AttributeError):  # PyYAML checks few values of explicit tags
            problem = f"is not a value of the type {node.tag.rsplit(':', 1)[-1]}"
        self.problems.append(Problem(self._location(path, node), problem))
        self.unreadable.add(path)
        return None

    def _entries(self, node: yaml.Node, on_duplicate: _OnDuplicate | None = None) -> _Entries:
        """Key and value node of each name in a mapping. `<<` adds entries of other mappings; its own override them."""
        import yaml

        if on_duplicate is None and id(node) in self._entries_of:
            return self._entries_of[id(node)]
        # A mapping that merges itself, directly or not, adds no entries to itself. One that many others merge is read
        # once, or a small file would take for ever.
        self._entries_of[id(node)] = {}
        merged: _Entries = {}
        own: _Entries = {}
        if not isinstance(node, yaml.MappingNode):
            return own
        for key, value in node.value:
            if key.tag == _MERGE_TAG:
                others = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for other in others:
                    if not any(other is ancestor for ancestor in self._open):
                        merged = {**self._entries(other), **merged}
                continue
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if name in own and on_duplicate is not None:
                on_duplicate(name, own[name][0], key)
            own[name] = (key, value)
        self._entries_of[id(node)] = {**merged, **own}
        return self._entries_of[id(node)]

    def _report_duplicate(self, path: FieldPath) -> _OnDuplicate:
        def report(name: str, first: yaml.Node, second: yaml.Node) -> None:
            line = first.start_mark.line + 1
            self.problems.append(
                Problem(self._location((*path, name), second), f"is given twice, first on line {line}")
            )

        return report


if TYPE_CHECKING:
    from collections.abc import Callable

    _OnDuplicate = Callable[[str, yaml.Node, yaml.Node], None]


def _text(path: Path, content: bytes | None) -> str:
    try:
        size = path.stat().st_size if content is None else len(content)
        if size > MAX_FILE_BYTES:
            raise ConfigError(f"{path} is not a configuration file: it is larger than {MAX_FILE_BYTES} bytes")
        return (path.read_bytes() if content is None else content).decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"configuration file {path} does not exist: check the path") from None
    except OSError as error:
        raise ConfigError(f"configuration file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a configuration file: it is not UTF-8 text") from None


def _syntax_hint(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "\\t" in problem:
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in problem:
        return "check the indentation, and put text that holds ': ' in quotes"
    if "expected a single document" in problem or "expected a single document" in (error.context or ""):
        return "keep one document in the file, without '---' in between"
    return ""
