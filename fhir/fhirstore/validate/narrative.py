"""The XHTML that a narrative may hold: well-formed, of the listed elements and attributes, nothing active.

http://hl7.org/fhir/R4/narrative.html#xhtml

A narrative is shown in the browsers of others, so what is not known to be harmless is refused: FHIR's own
list of elements and attributes, links only to documents and addresses, images only of the narrative itself
(one from elsewhere would tell its server who reads), no style that loads or computes.
"""

import re
from typing import Final
from xml.parsers.expat import ExpatError, ParserCreate

XHTML: Final = "http://www.w3.org/1999/xhtml"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS: Final = _words(
    """
    a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6
    hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var
    """
)
_ATTRIBUTES: Final = _words(
    """
    abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff
    charset cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc
    name nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign
    value vspace width xml:lang xmlns
    """
)
_LINKS: Final = frozenset({"href", "cite", "longdesc"})
# Addresses of other documents, and relative ones: those have no colon before a query or fragment, so no scheme.
_LINK: Final = re.compile(
    r"(?:(?:https?|ftp)://|mailto:|tel:|#|(?:\.{1,2}/)*+[A-Za-z0-9][A-Za-z0-9/._\-%+,~()=&@!$]*+(?:[?#]|$))\S*"
)
_IMAGE: Final = re.compile(r"#\S+|data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]+")
_ACTIVE_STYLE: Final = re.compile(r"url\s*\(|expression|behavio|binding|javascript|[@\\<]|/\*", re.IGNORECASE)


class _Refused(Exception):
    """Something in the narrative is not allowed; the message says what."""


class _Reader:
    """Follows the parser through one narrative."""

    def __init__(self) -> None:
        self.depth = 0
        self.has_content = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth == 0 and (name != "div" or attributes.get("xmlns") != XHTML):
            raise _Refused(f"expected one div in the namespace {XHTML}")
        self.depth += 1
        if name not in _ELEMENTS:
            raise _Refused("expected only the elements that FHIR allows in a narrative")
        self.has_content = self.has_content or name == "img"
        for attribute, value in attributes.items():
            _check_attribute(attribute, value)

    def end(self, name: str) -> None:
        self.depth -= 1

    def text(self, data: str) -> None:
        self.has_content = self.has_content or not data.isspace()

    def refuse(self, *_: object) -> None:
        raise _Refused("expected no document type, entity, processing instruction or marked section")

    def remark(self, data: str) -> None:
        # Readers of HTML take `<!-->` and `<!--->` for whole comments, and what follows for the page's own.
        if data.startswith((">", "->")):
            raise _Refused("expected comments that readers of HTML end where XML does")


def _check_attribute(name: str, value: str) -> None:
    if name not in _ATTRIBUTES or (name == "xmlns" and value != XHTML):
        raise _Refused("expected only the attributes that FHIR allows in a narrative")
    if name in _LINKS and not _LINK.fullmatch(value):
        raise _Refused(f"expected `{name}` to be a web, mail, telephone or relative address")
    if name == "src" and not _IMAGE.fullmatch(value):
        raise _Refused("expected an image that the narrative holds itself")
    if name == "style" and _ACTIVE_STYLE.search(value):
        raise _Refused("expected a style that loads nothing")


def narrative_problem(value: object) -> str | None:
    """Return what is wrong with a narrative's XHTML, or None."""
    if not isinstance(value, str):
        return "expected XHTML as a string"
    reader = _Reader()
    parser = ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    # Refused before an entity could be declared, so none is ever expanded.
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ProcessingInstructionHandler = reader.refuse
    # To a reader of HTML a marked section ends at its first `>`.
    parser.StartCdataSectionHandler = reader.refuse
    parser.CommentHandler = reader.remark
    try:
        parser.Parse(value, True)
    except _Refused as refusal:
        return str(refusal)
    except (ExpatError, ValueError):
        return "expected well-formed XHTML"
    return None if reader.has_content else "expected a narrative with content"
