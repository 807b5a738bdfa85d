"""What kind of browser somebody signed in at, in words of this table alone: enough to tell one's own apart.

https://www.rfc-editor.org/rfc/rfc9110#section-10.1.5

A browser says what it likes of itself. Nothing of it is kept or shown but which row of each table it names; no version,
so that nobody is told from their neighbour who has the same.
"""

from typing import Final

READ_CHARACTERS: Final = 512
"""What stands behind these is looked at by nobody."""

# The first that is named counts: each browser also claims to be some of those below it.
BROWSERS: Final = (
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YJApp", "Yahoo! JAPAN"),
    ("Line/", "LINE"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def kind_of(user_agent: str) -> str | None:
    """Such as `Firefox, Windows`, of what a browser says of itself; None where it names nothing that is known."""
    read = user_agent[:READ_CHARACTERS]
    found = (next((name for mark, name in table if mark in read), None) for table in (BROWSERS, SYSTEMS))
    return ", ".join(filter(None, found)) or None
