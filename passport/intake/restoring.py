"""What is written back under a registration that it was only seen through, stored as it was.

http://hl7.org/fhir/R4/patient.html#merge

Who searches about one registration of a person finds that one as the patient of every record. Sent back, such a
record names its own registration again: it lies there, and stays there when the two are separated.
"""

from fhirstore.parse import Tree
from passport.admission import Desk
from passport.disclosure.through import STORED_TYPES, Through
from passport.pieces import Current


def restored(desk: Desk, tree: Tree, current: Current) -> Tree:
    """The content of an update, with the patient under whom its record lies in place of their other registrations.

    Where the stored version names another registration itself, that was meant, and stands.
    """
    row, keys, base = current.row, desk.runtime.keys, desk.runtime.settings.fhir_url
    kin = desk.standing.seen_with(row.patient_key)
    own = kin.get(row.patient_key)
    if own is None or tree.get("resourceType") in STORED_TYPES:
        return tree
    others = [one for one in kin.values() if one != own and keys.reference(one) not in row.refs]
    near = dict.fromkeys(others, own)
    return Through(near | {f"{base}/{one}": f"{base}/{own}" for one in others}).rewritten(tree)
