"""What a standing rests on: what a later request has to find unchanged for it to be the same.

https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fhirstore.tables import NOBODY
from passport.remembering.tables import BLOCKS, DIRECTORY


def rests_on(row: Any, now: datetime) -> Mapping[str, Any]:
    """What `passport.remembering.store.HELD` binds for a standing, beside what its request does.

    `row` is what the statement of the standing answered at `now`. Read in a transaction that had written already it
    would rest on what may be undone: it is remembered from the first statement of a transaction alone.
    """
    actors = getattr(row, "actors", ())
    # Whose passport is opened in an emergency is not among those asked about while they count as dead.
    caller = {NOBODY, DIRECTORY, row.patient_key, row.opened_patient_key}
    concerns = {*caller, *(row.asked or ()), *(row.about_patients or ()), *actors}
    if actors and row.everyone:
        concerns.add(BLOCKS)
    return {
        "session_row": row.session_row,
        "read_at": now,
        "lasts_until": row.until,
        "unseen": row.seen.partition(":")[0],
        "concerns": _listed(concerns - {None}),
        "held_by": _listed(row.about_patients or ()),
        "wall": row.wall,
        "wall_everyone": row.all_patients,
        "wall_requester": row.requester,
    }


def _listed(keys: Iterable[int]) -> str:
    """Keys as the text of an array, so that it is written once and not by every request."""
    return "{" + ",".join(map(str, sorted(keys))) + "}"
