"""A code as a picture that a phone shows and a reception scans.

https://www.iso.org/standard/83389.html (QR Code)
"""

from typing import Final

import segno

# The margin that the standard asks for around a symbol, in modules.
QUIET_ZONE: Final = 4
PIXELS_A_MODULE: Final = 8


def svg(text: str) -> str:
    """Return the QR code of a text as an SVG element; it holds the text itself and no address."""
    symbol = segno.make_qr(text, error="m")
    return symbol.svg_inline(scale=PIXELS_A_MODULE, border=QUIET_ZONE, dark="#000", light="#fff")
