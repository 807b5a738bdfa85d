"""Mutual TLS: the certificate that a caller showed to a proxy of ours, as the proxy tells it.

https://www.rfc-editor.org/rfc/rfc8705#section-3
https://www.rfc-editor.org/rfc/rfc9440

The header counts only on a connection from a trusted proxy: that is who saw the handshake, and who takes the header
away where a caller sends it. Anybody else's word is not heard.
"""

import re
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Final

from cryptography import x509

from passport.identity.authorization.core import Proved

HEADER: Final = b"client-cert"  # RFC 9440, section 2.2

_FIELD: Final = re.compile(rb":([A-Za-z0-9+/]{1,10924}={0,2}):")


def shown(values: Sequence[bytes], peer: str, trusted_proxies: str) -> Proved | None:
    """The certificate that stands in the header, None where there is none that can be believed.

    Args:
        values: the values of the header.
        peer: who is at the other end of the connection.
        trusted_proxies: addresses or networks, separated by commas.
    """
    if len(values) != 1 or not _is_trusted(peer, trusted_proxies):
        return None
    found = _FIELD.fullmatch(values[0].strip())
    if found is None:
        return None
    try:
        der = b64decode(found[1], validate=True)
        x509.load_der_x509_certificate(der)
    except ValueError:
        return None
    return Proved(sha256(der).digest(), "certificate")


def _is_trusted(peer: str, trusted_proxies: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in ip_network(each) for each in trusted_proxies.split(",") if each)
