"""The facts of a stored version as the reference takes them: read from its body anew, with what it followed then.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from consent import systems
from consent.model import Consent, Record
from fhirstore.facts import Facts, extract, medications
from fhirstore.tables import NOBODY
from passport.holders import medication_codes
from passport.reference_records import DEEPEST, record_of, stands_lower
from passport.replay.past import Past, Stored


@dataclass(frozen=True, slots=True)
class Reading:
    """How versions are read.

    `sources` are the references by which a source may be known, by their keys. `own` tells that what the row's
    transaction wrote itself is there.
    """

    past: Past
    sources: Mapping[int, str]
    own: bool = False

    async def record(self, stored: Stored, deeper: int = DEEPEST) -> Record:
        """A version as the reference takes it.

        What follows others lies with the patients of these, and it is they who decide about it: an opening for one
        of them opens it too, and what they say of its type blocks it.

        Raises:
            Forgotten: something that it follows was erased, or somebody whom it is about.
        """
        facts = await self.facts(stored)
        whole = record_of(facts, self.sources.get(stored.source))
        if stored.type_name in systems.FOLLOWING:
            whole = replace(whole, patients=frozenset((await self.past.registered(stored.homes)).values()))
        if not facts.follows or not deeper:
            return whole
        there = await self.past.current(facts.follows, own=self.own)
        targets = [await self._followed(stored, there.get(name), deeper) for name in facts.follows]
        return replace(whole, follows=tuple(targets))

    async def facts(self, stored: Stored) -> Facts:
        """The facts of a version, with the codes that its medicines had when it was written."""
        settings, zone = self.past.runtime.settings, self.past.zone
        rules = self.past.row.rules
        urls = (settings.fhir_url if rules is None else rules.fhir_url,)
        named = medications(stored.tree, urls)
        known = await self.past.written_by(named, stored.written) if named else {}
        codes = medication_codes({name: one.tree for name, one in known.items() if not one.deleted})
        return extract(stored.tree, zone=zone, medication_codes=codes, base_urls=urls)

    async def _followed(self, by: Stored, target: Stored | None, deeper: int) -> Record | None:
        """What it follows, None where that is not there, or lies with somebody whom it does not name."""
        if target is None or target.deleted or target.patient_key not in by.homes | {NOBODY}:
            return None
        if not stands_lower(target.type_name, by.type_name):
            return None
        return await self.record(target, deeper - 1)


def sources_of(consents: Iterable[Consent], *others: str | None) -> set[str]:
    """By which references a source can matter: those that consents name as authors, and these."""
    nodes = (node for consent in consents if consent.root for node in consent.root.walk())
    return {data.reference for node in nodes for data in node.data} | {one for one in others if one}
