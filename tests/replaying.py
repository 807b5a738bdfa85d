"""Every row of a town's log decided again."""

from collections import Counter
from collections.abc import Collection

from passport.replay.report import Outcome, Report
from passport.replay.running import replayed
from tests.town import Town

_ALL = "SELECT audit_id::text FROM audit_event WHERE action <> 'replay' ORDER BY written_in::text::bigint"


async def reports(town: Town, known: Collection[str] = ()) -> list[Report]:
    """The report of every row of the log that is not among the known ones."""
    ids = [id_ for (id_,) in town.rows(_ALL) if id_ not in known]
    return [await replayed(town.runtime, id_) for id_ in ids]


async def agreed(town: Town, known: Collection[str] = ()) -> Counter[Outcome]:
    """How many rows came to what; one that disagrees is shown."""
    told = await reports(town, known)
    apart = ["\n".join(report.lines()) for report in told if report.outcome is Outcome.DISAGREES]
    assert not apart, "\n\n".join(apart)
    return Counter(report.outcome for report in told)
