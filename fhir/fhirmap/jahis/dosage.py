"""Usage and supplements of an RP to a FHIR Dosage.

https://hl7.org/fhir/R4/dosage.html, https://jpfhir.jp/fhir/core/1.2.0/StructureDefinition-jp-medicationdosage.html
"""

from decimal import Decimal

from fhirmap.jahis.codes import FORMS, METHOD, ROUTE, USAGE, Form
from fhirmap.jahis.model import Drug, Rp, Usage
from fhirmap.jahis.supply import Supply, days_quantity, quantity
from fhirmap.jsonformat import Json, present


def dosage(rp: Rp, drug: Drug, supply: Supply) -> list[Json]:
    """Return the one dosage of a medicine, none where the file says nothing of it."""
    usage = rp.usage
    form = FORMS.get(usage.form) if usage else None
    instruction = present(
        {
            "text": _text(usage, form),
            "additionalInstruction": [{"text": text} for text in (*rp.supplements, *drug.supplements)],
            "timing": _timing(usage, supply) if usage else None,
            "asNeededBoolean": True if form is FORMS["3"] else None,
            "route": form and _coded(ROUTE, form.route, None),
            "method": form and _coded(METHOD, form.method, form.name),
            "doseAndRate": _dose_and_rate(supply, drug.unit),
        }
    )
    return [instruction] if instruction else []


def _text(usage: Usage | None, form: Form | None) -> str | None:
    """The name of the usage; where it is empty, form and amount as a label would have them."""
    if usage is None:
        return None
    if usage.name:
        return usage.name
    amount = f"{usage.quantity}{usage.unit or ''}" if usage.quantity is not None else ""
    return " ".join(part for part in (form.name if form else "", amount) if part) or None


def _timing(usage: Usage, supply: Supply) -> Json:
    repeat = {"boundsDuration": days_quantity(supply.days)} if supply.days is not None else None
    coding = [present({"system": USAGE, "code": usage.code, "display": usage.name})] if usage.code else None
    return present({"repeat": repeat, "code": present({"coding": coding, "text": usage.name})})


def _coded(system: str, code: tuple[str, str] | None, text: str | None) -> Json:
    coding = [{"system": system, "code": code[0], "display": code[1]}] if code else None
    return present({"coding": coding, "text": text})


def _dose_and_rate(supply: Supply, unit: str | None) -> list[Json]:
    if supply.per_dose is not None:
        return [{"doseQuantity": quantity(supply.per_dose, unit)}]
    if supply.per_day is not None:
        ratio = {"numerator": quantity(supply.per_day, unit), "denominator": days_quantity(Decimal(1))}
        return [{"rateRatio": ratio}]
    return []
