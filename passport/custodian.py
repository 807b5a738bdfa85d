"""Who keeps the passport: what the receipt of a consent says of the city and of where and how long it keeps records.

https://www.iso.org/standard/80392.html
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final, Self

MOST_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Custodian:
    """The particulars of an installation, each a text that a resident reads.

    `address`, `contact` and `notice` are the service's own address where they are empty. `jurisdiction` and
    `storage` are countries by ISO 3166; `notice` is the address of the privacy notice.
    """

    name: str = "Healthcare data passport"
    address: str = ""
    contact: str = ""
    jurisdiction: str = "JP"
    storage: str = "JP"
    retention: str = "until the person has it erased"
    notice: str = ""

    @classmethod
    def read(cls, content: object) -> Self:
        """Read the particulars as the settings file states them.

        Raises:
            ValueError: it names what is none, or gives no text.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(content, Mapping) or not content.keys() <= known:
            raise ValueError(f"expected an object with some of {', '.join(sorted(known))}")
        if not all(isinstance(text, str) and len(text) <= MOST_CHARACTERS for text in content.values()):
            raise ValueError(f"expected texts of at most {MOST_CHARACTERS} characters")
        return cls(**content)

    @property
    def stated(self) -> dict[str, str]:
        """What differs from an installation that says nothing, for the settings file."""
        silent = asdict(SILENT)
        return {name: text for name, text in asdict(self).items() if text != silent[name]}


SILENT: Final = Custodian()
"""The particulars of an installation that says nothing of itself."""
