"""A code as a picture that a phone shows and a reception scans.

https://www.iso.org/standard/83389.html (QR Code)
"""

from typing import Final

import segno

# The margin that the standard asks for around a symbol, in modules.
QUIET_ZONE: Final = 4
PIXELS_A_MODULE: Final = 8


def svg(text: str, *, sized: bool = True) -> str:
    """Return the QR code of a text as an SVG element; it holds the text itself and no address.

    One that is not `sized` is as large as the page lets it be.
    """
    symbol = segno.make_qr(text, error="m")
    scale = PIXELS_A_MODULE if sized else 1
    return symbol.svg_inline(scale=scale, border=QUIET_ZONE, dark="#000", light="#fff", omitsize=not sized)
