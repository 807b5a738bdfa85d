"""hcRole: which of the qualifications that the state licenses a certificate says that its holder has.

https://www.iso.org/standard/63019.html (ISO 17090-2, attribute hcRole)
https://www.mhlw.go.jp/shingi/2004/12/s1222-14a3.html (保健医療福祉分野PKI認証局 証明書ポリシ, 7.1.2)
"""

import re
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from passport.identity.qualifications import der

HC_ROLE: Final = "1.0.17090.0.1"
"""iso(1) standard(0) hcpki(17090) attribute(0) 1"""

NATIONAL_SCHEME: Final = "1.2.392.100495.1.6.1.1"
"""iso(1) member-body(2) jp(392) mhlw(100495) jhpki(1) hcRole(6) national-coding-scheme-reference(1) version(1)"""

_TITLE: Final = re.compile(r"[A-Za-z][A-Za-z &,'()/-]{0,63}")
_TITLES_MAX: Final = 16


def titles_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The titles that stand in a certificate, such as `Medical Doctor`; none where it says nothing of it.

    Raises:
        NotDer: the attribute is there and cannot be read.
    """
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_DIRECTORY_ATTRIBUTES)
    except x509.ExtensionNotFound:
        return ()
    except ValueError:
        raise der.NotDer from None
    value = found.value
    if not isinstance(value, x509.UnrecognizedExtension):
        raise der.NotDer
    titles = {
        title for attribute in der.one(value.value).inside(der.SEQUENCE) for title in _of_attribute(attribute)
    }
    if len(titles) > _TITLES_MAX or not all(map(_TITLE.fullmatch, titles)):
        raise der.NotDer
    return tuple(sorted(titles))


def _of_attribute(attribute: der.Element) -> list[str]:
    kind, values = _pair(attribute)
    if kind.tag != der.OBJECT_IDENTIFIER or der.dotted(kind.content) != HC_ROLE:
        return []
    actors = [actor for data in values.inside(der.SET) for actor in data.inside(der.SET)]
    return [title for actor in actors if (title := _of_actor(actor)) is not None]


def _of_actor(actor: der.Element) -> str | None:
    """The title of an HCActor by the national scheme, None by any other."""
    members = {member.tag: member for member in actor.inside(der.SEQUENCE)}
    coded = members.get(der.context(0))
    if coded is None:
        raise der.NotDer
    said = {part.tag: part for part in der.one(coded.content).inside(der.SET)}
    scheme, text = said.get(der.context(0)), said.get(der.context(2))
    if scheme is None or text is None:
        return None
    named = der.one(scheme.content)
    if named.tag != der.OBJECT_IDENTIFIER or der.dotted(named.content) != NATIONAL_SCHEME:
        return None
    written = der.one(text.content)
    if written.tag not in {der.UTF8_STRING, der.PRINTABLE_STRING}:
        raise der.NotDer
    try:
        return written.content.decode()
    except UnicodeDecodeError:
        raise der.NotDer from None


def _pair(attribute: der.Element) -> tuple[der.Element, der.Element]:
    parts = list(attribute.inside(der.SEQUENCE))
    if len(parts) != 2:
        raise der.NotDer
    return parts[0], parts[1]
