"""What a replay found: of each record what was done, what the reference decides, and whether the two agree.

http://hl7.org/fhir/R4/auditevent.html

It names references, consents and versions, and nothing of what a record says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from passport.audit.rules import engine_digest
from passport.records import written_instant
from passport.replay.row import Row


class Done(StrEnum):
    """What was done with a record."""

    SHOWN = "shown"
    WRITTEN = "written"
    REFUSED = "refused"


class Outcome(StrEnum):
    """What a replay comes to."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    FORGOTTEN = "can no longer be told"
    NOTHING = "nothing to decide again"


_LINES: Final = {
    Outcome.AGREES: "the reference agrees with what was done",
    Outcome.DISAGREES: "THE REFERENCE DISAGREES with what was done",
    Outcome.FORGOTTEN: "it can no longer be told: what it was decided on was erased",
    Outcome.NOTHING: "there is nothing in this row to decide again",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One record, or one consent that the row names; `because` says what the reference's decision rests on."""

    what: str
    done: str
    decided: str
    agrees: bool
    because: str = ""

    @property
    def line(self) -> str:
        """The finding in one line."""
        reason = f" ({self.because})" if self.because else ""
        verdict = "agrees" if self.agrees else "DISAGREES"
        return f"{self.what}: {self.done}; {self.decided}{reason}: {verdict}"


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found of a row; `notes` say what of it cannot be decided again, and why."""

    row: Row
    findings: Sequence[Finding] = ()
    notes: Sequence[str] = ()
    forgotten: bool = False
    engine: str = field(default_factory=engine_digest)

    @property
    def outcome(self) -> Outcome:
        """What it comes to."""
        if self.forgotten:
            return Outcome.FORGOTTEN
        if not self.findings:
            return Outcome.NOTHING
        agreed = all(finding.agrees for finding in self.findings)
        return Outcome.AGREES if agreed else Outcome.DISAGREES

    def lines(self) -> Iterator[str]:
        """The report as it is read by people."""
        row = self.row
        yield f"AuditEvent/{row.place.id}"
        who = row.actor or "nobody signed in"
        yield f"  {written_instant(row.at)} {row.action} by {who} for {row.purpose or '-'}: {row.outcome}"
        yield f"  {self._engines()}"
        yield from (f"  {finding.line}" for finding in self.findings)
        yield from (f"  note: {note}" for note in self.notes)
        yield _LINES[self.outcome]

    def as_json(self) -> dict[str, Any]:
        """The report as programs read it."""
        row = self.row
        return {
            "audit_event": row.place.id,
            "recorded": written_instant(row.at),
            "action": row.action,
            "outcome": row.outcome,
            "rules": None
            if row.rules is None
            else {"software": row.rules.software, "engine": row.rules.engine},
            "engine": self.engine,
            "findings": [
                {
                    "what": one.what,
                    "done": one.done,
                    "decided": one.decided,
                    "because": one.because,
                    "agrees": one.agrees,
                }
                for one in self.findings
            ],
            "notes": list(self.notes),
            "result": self.outcome,
        }

    def _engines(self) -> str:
        rules = self.row.rules
        if rules is None:
            return "by which rules it was decided was not kept: those of now are applied"
        same = "the same engine" if rules.engine == self.engine else f"engine {self.engine[:12]}"
        return f"decided by version {rules.software}, engine {rules.engine[:12]}, in {rules.zone}; replayed by {same}"
