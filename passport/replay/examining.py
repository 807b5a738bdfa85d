"""A row of the log examined: each record that it names is decided again and held against what was done.

http://hl7.org/fhir/R4/auditevent.html

What is shown or written has to be permitted, in the version that the row names; what was not found by its address has
to be denied, or not there. What a search did not show is not named in the log, and is not decided again.
"""

import re
from typing import Final

from consent.model import Action, Status
from consent.systems import TYPES
from fhirstore.tables import NOBODY
from passport.identity.record_scopes import Right
from passport.identity.scopes import allows, granting
from passport.replay.deciding import CONSENT, Bench, Verdict, bench_of, named
from passport.replay.errors import Forgotten
from passport.replay.facts import Reading
from passport.replay.past import Past, Stored
from passport.replay.report import Done, Finding, Report
from passport.replay.row import Row
from passport.subjects import OPERATOR

_ADDRESS: Final = re.compile(
    r"(?:GET|HEAD) (?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history(?:/(?P<version>[0-9]{1,9}))?|/\$meta)?(?:\?.*)?"
)
DISCLOSED: Final = "access"
_CONSULTED: Final = {"collect": Action.COLLECT, "correct": Action.CORRECT}
_OF_OFFICE: Final = frozenset({"Patient", "Provenance"})
"""What an operator writes that lies with a patient: registrations, and why they changed."""

_READING: Final[tuple[Right, Right]] = ("r", "s")
_OF_VERSIONS: Final = frozenset({"history", "vread"})
_OF_ONE: Final = frozenset({"read", "vread", "history", "meta"})

OTHERS: Final = "what else was there, and was denied or did not match, is not kept"
COUNTED: Final = "it showed no record; which ones it counted or looked for is not kept"
UNSENT: Final = "what was sent and refused is not kept"
SETTLED: Final = "no consent was asked for it"


async def examined(past: Past) -> Report:
    """The report of a row; nothing is changed by it.

    It says that nothing can be told any more where something was erased that the decision was made on.
    """
    row = past.row
    try:
        if row.patient_key != NOBODY:
            await past.registered([row.patient_key])
        if row.outcome != "success":
            return await _refused(past)
        if row.rests and row.rests[0] != DISCLOSED:
            return await _written(past)
        return await _shown(past)
    except Forgotten:
        return Report(row, forgotten=True)


async def _shown(past: Past) -> Report:
    """What a disclosure showed was permitted."""
    row, bench = past.row, await bench_of(past)
    if not row.rests:
        return Report(row, notes=[SETTLED])
    findings: list[Finding] = []
    relied: set[str] = set()
    for record_key, version in row.shown:
        stored = await past.version(record_key, version)
        finding, by = await _showing(bench, record_key, stored)
        findings.append(finding)
        relied |= by
    findings += await _named(bench, relied)
    single = row.action in _OF_ONE
    return Report(row, findings, [] if single else [OTHERS] if row.shown else [COUNTED])


async def _showing(bench: Bench, record_key: int, stored: Stored | None) -> tuple[Finding, set[str]]:
    """One record that was shown, and the consents by which it was permitted."""
    if stored is None:
        return Finding(f"record {record_key:d}", Done.SHOWN, "no such version is stored", agrees=False), set()
    past, row = bench.past, bench.past.row
    current = (await past.current({stored.reference})).get(stored.reference)
    verdict = await bench.decide(stored, Action.ACCESS)
    problem = _misplaced(row, stored, current)
    if problem is None and current is not None and current.version != stored.version:
        # A version is shown if it and the current one are permitted.
        now = await bench.decide(current, Action.ACCESS)
        verdict = Verdict(verdict.permitted and now.permitted, verdict.by)
    if problem is not None:
        return Finding(stored.named, Done.SHOWN, problem, agrees=False), set()
    return _found(stored.named, Done.SHOWN, verdict, expected=True), _consents(verdict)


def _misplaced(row: Row, stored: Stored, current: Stored | None) -> str | None:
    """Why a version could not be shown to anybody at that place of the log."""
    if row.patient_key not in stored.homes:
        return "it is of nobody whose log this is"
    if current is None or stored.version > current.version:
        return "it had not been written yet"
    if row.action not in _OF_VERSIONS and current.version != stored.version:
        return f"version {current.version} was the current one"
    if row.scopes is not None and not any(
        granting(row.scopes, right, stored.type_name) for right in _READING
    ):
        return "the session's scopes did not reach it"
    return None


async def _written(past: Past) -> Report:
    """What was written was permitted on what it replaced and on what it says, or needed no consent."""
    row, bench = past.row, await bench_of(past, own=True)
    findings: list[Finding] = []
    relied: set[str] = set()
    notes: list[str] = []
    for (record_key, version), rest in zip(row.shown, row.rests, strict=False):
        stored = await past.version(record_key, version)
        if stored is None:
            what = f"record {record_key:d}"
            findings.append(Finding(what, Done.WRITTEN, "no such version is stored", agrees=False))
        elif rest in _CONSULTED:
            verdict = await _writable(bench, stored, _CONSULTED[rest])
            findings.append(_found(stored.named, Done.WRITTEN, verdict, expected=True))
            relied |= _consents(verdict)
        elif (finding := await _unconsulted(bench, stored, rest)) is not None:
            findings.append(finding)
        else:
            notes.append(f"{stored.named}: written; {SETTLED}: {rest}")
    return Report(row, [*findings, *await _named(bench, relied)], notes)


async def _unconsulted(bench: Bench, stored: Stored, rest: str) -> Finding | None:
    """What was written without a consent, where a rule says whose it has to be; None where none does."""
    if rest == "own":
        patients = (await Reading(bench.past, {}).facts(stored)).patients
        held = bench.caller.own.issuperset(patients)
    elif rest == "proposal":
        held = stored.type_name == CONSENT and stored.tree.get("status") == Status.PROPOSED
    elif rest == "office" and bench.caller.kind == OPERATOR:
        held = stored.type_name in _OF_OFFICE or stored.patient_key == NOBODY
    else:
        return None
    rule = f"the rule of {rest} {'lets it stand' if held else 'does not let it stand'} without a consent"
    return Finding(stored.named, Done.WRITTEN, rule, agrees=held)


async def _writable(bench: Bench, stored: Stored, action: Action) -> Verdict:
    """Whether a version could be written: what it replaced had to be in sight, and open to the same action."""
    verdict = await bench.decide(stored, action)
    before = (await bench.past.current({stored.reference})).get(stored.reference)
    if before is None or before.deleted:
        return verdict
    seen = await bench.decide(before, Action.ACCESS)
    changeable = await bench.decide(before, action)
    wrote = action is not Action.COLLECT or bench.wrote(before)
    return Verdict(verdict.permitted and seen.permitted and changeable.permitted and wrote, verdict.by)


async def _refused(past: Past) -> Report:
    """What was asked for by its address and not shown was denied, or not there."""
    row = past.row
    asked = _ADDRESS.fullmatch(row.query)
    if asked is None or asked["type"] not in TYPES or row.action not in _OF_ONE:
        return Report(row, notes=[UNSENT if row.action not in _OF_ONE else COUNTED])
    reference = f"{asked['type']}/{asked['id']}"
    current = (await past.current({reference})).get(reference)
    bench = await bench_of(past)
    if current is None:
        return Report(row, [Finding(reference, Done.REFUSED, "it was not there", agrees=True)])
    verdict = await bench.decide(current, Action.ACCESS)
    if asked["version"] and verdict.permitted:
        wanted = await past.version(current.record_key, int(asked["version"]))
        if wanted is None or wanted.version > current.version:
            return Report(row, [Finding(reference, Done.REFUSED, "there was no such version", agrees=True)])
        verdict = await bench.decide(wanted, Action.ACCESS)
    if verdict.permitted and row.scopes is not None and not allows(row.scopes, asked["type"], "r"):
        # Whether search arguments left it out is not asked again: they are no decision of the patient's.
        finding = Finding(reference, Done.REFUSED, "the session's scopes did not reach it", agrees=True)
        return Report(row, [finding])
    return Report(row, [_found(reference, Done.REFUSED, verdict, expected=False)])


async def _named(bench: Bench, relied: set[str]) -> list[Finding]:
    """The consents that a row names were in force, and those that it relied on are among them."""
    row, past = bench.past.row, bench.past
    if not row.grants and not relied:
        return []
    there = {named(one) for one in await past.consents({row.patient_key})}
    findings = [
        Finding(ref, "named", "in force" if ref in there else "not in force", agrees=ref in there)
        for ref in row.grants
    ]
    missing = sorted(relied - set(row.grants))
    return [*findings, *(Finding(ref, "not named", "relied on", agrees=False) for ref in missing)]


def _found(what: str, done: Done, verdict: Verdict, *, expected: bool) -> Finding:
    decided = f"the reference {'permits' if verdict.permitted else 'denies'}"
    because = ", ".join(verdict.by) if verdict.permitted else ""
    return Finding(what, done, decided, verdict.permitted is expected, because)


def _consents(verdict: Verdict) -> set[str]:
    """The consents among what a verdict rests on."""
    return {one for one in verdict.by if one.startswith("Consent/")}
