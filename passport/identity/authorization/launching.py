"""EHR launch: a clinician's system says which patient and visit it has open when it opens an app.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch

What is open is told to the app that the same clinician then allows, once. It opens no record: consents decide.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from fhirstore.tables import NOBODY
from passport.admission import Desk
from passport.identity.authorization import families, store
from passport.outcomes import Invalid, Refused
from passport.sql import fetch

LASTS: Final = timedelta(minutes=5)

_ID: Final = r"[A-Za-z0-9\-.]{1,64}"
_MEMBERS: Final[Mapping[str, re.Pattern[str]]] = {
    "patient": re.compile(rf"Patient/({_ID})"),
    "encounter": re.compile(rf"Encounter/({_ID})"),
}


async def begin(desk: Desk, tree: Mapping[str, Any]) -> str:
    """Keep what a clinician has open, and return the name by which an app asks for it.

    Raises:
        Refused: the caller is no clinician.
        Invalid: a member is missing, unknown or unfit.
    """
    subject, runtime = desk.subject, desk.runtime
    if subject.kind != "practitioner" or subject.opened_patient_key is not None:
        raise Refused("expected a clinician")
    context = {}
    for name, pattern in _MEMBERS.items():
        found = pattern.fullmatch(tree[name]) if isinstance(tree.get(name), str) else None
        if found is None and (name in tree or name == "patient"):
            raise Invalid(f"got no reference such as `{name.capitalize()}/1` in `{name}`", (name,))
        if found is not None:
            context[name] = found[1]
    if tree.keys() - _MEMBERS.keys():
        raise Invalid(f"got an unknown member, expected {', '.join(_MEMBERS)}")
    text, kept = families.secret(runtime)
    params = {
        "launch_hash": kept,
        "subject": subject.reference,
        "role": subject.role,
        "context": Jsonb(context),
        "expires_at": desk.now + LASTS,
    }
    await fetch(desk.connection, store.PUT_LAUNCH, params)
    await desk.audit(desk.row(NOBODY))
    return text
