"""Who works in the town: two hospitals, an emergency department, physicians in their roles, a pharmacy."""

from dataclasses import dataclass

from tests.resources import organization, practitioner, reference, role
from tests.town import Town, Voice


@dataclass(frozen=True)
class Cast:
    """References of the directory; `a` and `b` act at hospital H, `a_at_k` is A in another hospital."""

    town: Town
    hospital: str
    ward: str
    clinic: str
    emergency: str
    pharmacy: str
    dr_a: str
    dr_b: str
    role_a: str
    role_b: str
    role_a_at_k: str
    role_e: str

    @property
    def a(self) -> Voice:
        return self.town.as_(self.role_a)

    @property
    def b(self) -> Voice:
        return self.town.as_(self.role_b)

    @property
    def a_at_k(self) -> Voice:
        return self.town.as_(self.role_a_at_k)

    @property
    def e(self) -> Voice:
        """A physician of the emergency department, for treatment."""
        return self.town.as_(self.role_e)


async def cast_of(town: Town) -> Cast:
    """Let the operator write the directory."""
    write = town.operator.create
    hospital = await write(organization("ひな形病院"))
    ward = await write(organization("ひな形病院 内科", partOf=reference(hospital)))
    clinic = await write(organization("見本診療所"))
    emergency = await write(organization("ひな形病院 救急"))
    pharmacy = await write(organization("れいじ薬局"))
    dr_a = await write(practitioner("架空 一郎"))
    dr_b = await write(practitioner("架空 二郎"))
    dr_e = await write(practitioner("架空 三郎"))
    return Cast(
        town=town,
        hospital=hospital,
        ward=ward,
        clinic=clinic,
        emergency=emergency,
        pharmacy=pharmacy,
        dr_a=dr_a,
        dr_b=dr_b,
        role_a=await write(role(dr_a, ward)),
        role_b=await write(role(dr_b, ward)),
        role_a_at_k=await write(role(dr_a, clinic)),
        role_e=await write(role(dr_e, emergency)),
    )
