"""XML of unknown devices: bounded, and without document types, so that no entity can be defined. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from posebus.config.redaction import harmless
from posebus.errors import MalformedMessage

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_TEXT = 500
_OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
)


def envelope(header: str, body: str) -> bytes:
    """A SOAP 1.2 message; `header` and `body` are XML."""
    return f"{_OPENING}<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>".encode()


def as_text(value: str) -> str:
    """`value` as text within XML."""
    return escape(value, {'"': "&quot;"})


def parse_xml(data: bytes) -> ElementTree.Element:
    """The root of an XML document. Raises MalformedMessage."""
    if len(data) > MAX_BYTES:
        raise MalformedMessage(f"it has more than {MAX_BYTES} bytes")
    try:
        # As text: then the parser follows no declaration of another encoding, in which `<!` could be hidden from us.
        text = data.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise MalformedMessage("it defines a document type, which SOAP forbids")
        if "\0" in text:
            raise MalformedMessage("it holds zero bytes")
        root = ElementTree.fromstring(_without_declaration(text))
    except UnicodeDecodeError:
        raise MalformedMessage("it is no UTF-8 text") from None
    except (ElementTree.ParseError, ValueError) as error:
        raise MalformedMessage(f"it is no XML: {str(error)[:100]}") from None
    if _depth(root) > MAX_DEPTH:
        raise MalformedMessage("it is nested too deeply")
    return root


def elements(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    """All elements below `root` with this local name; vendors mix up the namespaces."""
    return (one for one in root.iter() if isinstance(one.tag, str) and one.tag.rpartition("}")[2] == name)


def text_of(root: ElementTree.Element, *path: str) -> str:
    """The text of the first element that a row of local names leads to; empty without one."""
    found: ElementTree.Element | None = root
    for name in path:
        found = next(elements(found, name), None) if found is not None else None
    text = (found.text or "").strip() if found is not None else ""
    return text[:MAX_TEXT]


def shown(text: str, most: int = 80) -> str:
    """A text of a device for a reader."""
    return harmless(text, most)


def _without_declaration(text: str) -> str:
    text = text.lstrip()
    return text[text.index("?>") + 2 :] if text.startswith("<?xml") and "?>" in text else text


def _depth(root: ElementTree.Element) -> int:
    """Levels of elements, counted without recursion."""
    level, depth = [root], 0
    while level and depth <= MAX_DEPTH:
        level, depth = [child for one in level for child in one], depth + 1
    return depth
