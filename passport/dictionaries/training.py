"""Training: from synthetic records of a kind to the dictionary that they share.

https://www.rfc-editor.org/rfc/rfc8878#name-dictionary-format
"""

from typing import Final

from zstandard import train_dictionary

from fhirstore.bodies import LEVEL
from fhirstore.trained import OTHER
from passport.dictionaries.samples import samples

SEED: Final = 20_261_122
DICTIONARY_BYTES: Final = 8_192
"""A blood pressure takes twice as much with 1 KiB and no less from 2 KiB on; medicines go on gaining."""

OTHER_BYTES: Final = 16_384
"""Of what is no kind of its own more words may help."""


def trained_contents(seed: int = SEED) -> dict[str, bytes]:
    """Train a dictionary for each kind; the same seed and the same zstd give the same bytes."""
    return {
        kind: train_dictionary(
            OTHER_BYTES if kind == OTHER else DICTIONARY_BYTES, list(bodies), level=LEVEL, dict_id=1
        ).as_bytes()
        for kind, bodies in samples(seed).items()
    }
