"""The decision: a standing turned into the SQL condition that stands inside every query.

http://hl7.org/fhir/R4/consent.html

The condition is composed per signature and kept compiled with its statement; what varies (whose records, which
cursor) is bound. Beside the consents it knows only what the semantics put outside of their evaluation: a
person's own passport, the directory, an operator's records of nobody, and a requester's own proposals. And beside them
all stands what the scopes of the session leave of single records (`passport.narrowing`).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Self

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    all_,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from consent.compile import GrantEffect
from consent.facts import RecordColumns
from consent.grants import MOST_WEIGHED, StandingGrant, relied, weighed
from consent.model import Action
from consent.shape import Shape, ShapeNode
from consent.sql import FEW_PATIENTS, Sight, by_group, visible, whose
from consent.store import load_shapes
from consent.systems import UNNAMED_EXCLUDED
from fhirstore.tables import NOBODY, resource, resource_part
from fhirstore.types import TYPE_NUMBERS
from passport.identity.record_scopes import Right
from passport.narrowing import READING, Narrowing, narrowing
from passport.runtime import Runtime
from passport.sql import Connection
from passport.standing import Signature, Standing
from passport.subjects import CITY

PLACE_BITS: Final = 16
"""A patient has fewer grants than there are places."""

_KEY: Final = BigInteger()
_PATIENTS: Final = ARRAY(BigInteger)


def granted(patient_key: int, place: int) -> int:
    """The number by which a page names the grant at this place of a patient's signature."""
    return patient_key << PLACE_BITS | place


def _of_patient(patient: ColumnElement[int], place: int) -> ColumnElement[int]:
    return patient.op("<<", return_type=_KEY)(literal_column(str(PLACE_BITS))) + literal_column(str(place))


def _of_policies(_: ColumnElement[int], place: int) -> ColumnElement[int]:
    return literal_column(str(ruled(place)), _KEY)


def is_of(patient_key: int, code: int) -> bool:
    """Whether a number names a grant of this patient, or a policy for whomever."""
    return code < 0 or code >> PLACE_BITS == patient_key


def ruled(place: int) -> int:
    """The number by which a page names a policy, by its place, for patients of whom nothing else was asked."""
    return -1 - place


class Weighed(NamedTuple):
    """What a row is let through by: the grants of whoever holds it as bits, and those of others by their numbers."""

    bits: ColumnElement[int]
    beside: ColumnElement[Any]


def unweighed(patient: ColumnElement[int], bits: ColumnElement[int]) -> ColumnElement[Any]:
    """The numbers of the grants of a patient that these bits say."""
    places = func.generate_series(_whole(0), _whole(MOST_WEIGHED - 1)).table_valued("at", name="place")
    place = places.render_derived()
    held = bits.op(">>", return_type=_KEY)(place.c.at).op("&", return_type=_KEY)(_whole(1)) == _whole(1)
    own = patient.op("<<", return_type=_KEY)(_whole(PLACE_BITS)) + place.c.at
    code = case((bits >= _whole(_OF_POLICIES), _whole(-1) - place.c.at), else_=own)
    return select(func.array_agg(code)).select_from(place).where(held).scalar_subquery()


_NOTHING: Final[ColumnElement[int]] = literal_column("0::bigint", _KEY)

_OF_POLICIES: Final = 1 << MOST_WEIGHED
"""The bit of what policies alone let through, of patients of whom nothing else was asked."""


def _whole(number: int) -> ColumnElement[int]:
    return literal_column(f"({number})" if number < 0 else str(number), _KEY)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one standing lets through. `structure` says which SQL it is, `params` bind whose records.

    `patients` are those whose grants were asked, `grants` the consents by the numbers with which `relied` names them.
    `narrowing` is what the session's scopes say of single records, for each of `rights`. `type_name` is the only type
    that the rows in question are of, where that is known.
    """

    action: Action
    structure: Hashable
    sight: Sight
    params: Mapping[str, Any]
    nobodys: bool
    proposals: bool
    patients: frozenset[int]
    grants: tuple[tuple[int, str], ...]
    policies: tuple[StandingGrant, ...]
    narrowing: Narrowing | None = None
    rights: tuple[Right, ...] = READING
    type_name: str | None = None

    def beside(self, prefix: str) -> Self:
        """The same for a statement that asks for several decisions: all that it binds is named with `prefix`."""
        return replace(
            self,
            structure=(prefix, self.structure),
            sight=replace(self.sight, prefix=prefix),
            params={f"{prefix}{name}": value for name, value in self.params.items()},
        )

    def by(self, *rights: Right) -> Self:
        """The same for a statement that needs these rights of the session; none where they were asked before."""
        if self.narrowing is None:
            return self
        return replace(self, rights=rights, structure=(rights, self.structure))

    def of(self, type_name: str) -> Self:
        """The same for a statement that asks for one type: what only rows of other types need is left out."""
        return replace(self, type_name=type_name)

    @property
    def _within(self) -> frozenset[str] | None:
        return None if self.type_name is None else frozenset({self.type_name})

    @property
    def hopeless(self) -> bool:
        """Whether nothing of any patient can be let through, whatever the record."""
        sight = self.sight
        held = [grant for group in (*sight.groups, sight.otherwise or ()) for grant in group]
        return not (sight.own or self.nobodys or any(grant.effect == GrantEffect.PERMIT for grant in held))

    def reaches(self, patient_key: int) -> bool:
        """Whether a patient is among those whose grants, or the policies for them, were asked."""
        return patient_key in self.patients

    def covers(self, type_name: str) -> bool:
        """Whether the policies permit every record of a type, whatever it says."""
        return all(grant.effect == GrantEffect.PERMIT for grant in self.policies) and any(
            grant.t_bits & 1 and grant.shape is not None and _covers(grant.shape, type_name)
            for grant in self.policies
        )

    def clause(self, record: FromClause) -> ColumnElement[bool]:
        """Whether a row of `resource`, or of a table like it, is let through: by the consents, and by the scopes."""
        permitted = self._permitted(record)
        return permitted if self.narrowing is None else and_(permitted, self.scoped(record))

    def scoped(self, record: FromClause) -> ColumnElement[bool]:
        """Whether the session's scopes give a row."""
        if self.narrowing is None or not self.rights:
            return true()
        prefix = self.sight.prefix
        return self.narrowing.clause(record, self.rights, type_name=self.type_name, prefix=prefix)

    def _permitted(self, record: FromClause) -> ColumnElement[bool]:
        permitted = visible(
            self.sight,
            record,
            parts=resource_part.alias(),
            targets=resource.alias(),
            types=TYPE_NUMBERS,
            within=self._within,
        )
        outside: list[ColumnElement[bool]] = []
        if self.nobodys:
            # Proposals to people without a passport lie here too, and are their requester's alone.
            office = (record.c.type != TYPE_NUMBERS["Consent"]) | (
                record.c.source == self._bound("requester")
            )
            outside.append((record.c.patient_key == NOBODY) & office)
        if self.proposals and self.type_name in {None, "Consent"}:
            outside.append(
                (record.c.type == TYPE_NUMBERS["Consent"])
                & (record.c.source == self._bound("requester"))
                & (record.c.status == self._bound("proposed"))
                # Nobody shared it: it stands with the registration that it names, and tells of no other one.
                & (record.c.patient_key != all_(self._bound("unnamed", _PATIENTS)))
            )
        return or_(permitted, *outside) if outside else permitted

    def relied(self, record: FromClause) -> ColumnElement[Any]:
        """Which grants let the row through, of everybody whom it names, by their numbers."""
        columns = RecordColumns.of(record, within=self._within)
        return func.array_cat(
            self._codes(record.c.patient_key, columns), self._beside(record, columns), type_=_PATIENTS
        )

    def weighed(self, record: FromClause) -> Weighed:
        """The same in two parts, of which the first is a number that can be put together over many rows."""
        columns = RecordColumns.of(record, within=self._within)
        patient = record.c.patient_key
        if max(map(len, (*self.sight.groups, self.sight.otherwise or ())), default=0) > MOST_WEIGHED:
            return Weighed(_NOTHING, self.relied(record))
        otherwise = _NOTHING
        if self.sight.otherwise:
            policies = weighed(self.sight.otherwise, columns, TYPE_NUMBERS)
            otherwise = policies.op("|", return_type=_KEY)(_whole(_OF_POLICIES))
        each = [weighed(standing, columns, TYPE_NUMBERS) for standing in self.sight.groups]
        bits = by_group(self.sight, patient, each, otherwise)
        return Weighed(bits, self._beside(record, columns))

    def _beside(self, record: FromClause, columns: RecordColumns) -> ColumnElement[Any]:
        """Which grants of the others whom a row names let it through; nothing where it names nobody else."""
        other = func.unnest(record.c.others).table_valued("key", name="other").render_derived()
        each = select(func.unnest(self._codes(other.c.key, columns)).label("code"))
        code = each.correlate(record, other).lateral("code")
        beside = select(func.array_agg(code.c.code)).select_from(other.join(code, true())).correlate(record)
        several = func.cardinality(record.c.others) > literal_column("0")
        return case((several, beside.scalar_subquery()), else_=null())

    def _codes(self, patient: ColumnElement[int], columns: RecordColumns) -> ColumnElement[Any]:
        """Which grants of one patient let a row through."""
        otherwise: ColumnElement[Any] = literal_column("'{}'::bigint[]", _PATIENTS)
        if self.sight.otherwise:
            otherwise = relied(self.sight.otherwise, columns, TYPE_NUMBERS, patient, _of_policies)
        each = [
            relied(standing, columns, TYPE_NUMBERS, patient, _of_patient) for standing in self.sight.groups
        ]
        return by_group(self.sight, patient, each, otherwise)

    def _bound(self, name: str, type_: TypeEngine[Any] = _KEY) -> BindParameter[Any]:
        return bindparam(f"{self.sight.prefix}{name}", type_=type_)


async def decide(runtime: Runtime, connection: Connection, standing: Standing, action: Action) -> Decision:
    """Turn a standing into its condition; costs a round trip only for shapes that this process never met."""
    await _learn_shapes(runtime, connection, standing)
    signatures = [signature for signature in standing.groups if signature]
    bearing = [_bearing(runtime, signature) for signature in signatures]
    own, subject = standing.own, standing.subject
    access = action is Action.ACCESS
    sight = Sight(
        groups=bearing,
        otherwise=_bearing(runtime, standing.policies) if standing.everyone else None,
        own=own is not None,
        owns=len(standing.owns) > 1,
        directory=access,
        many=sum(map(len, standing.groups.values())) > FEW_PATIENTS,
    )
    nobodys = subject.kind == "operator"
    proposals = access and subject.kind not in {*CITY, "patient"}
    groups = [standing.groups[signature] for signature in signatures]
    params: dict[str, Any] = {**whose(groups, many=sight.many, apart=standing.groups.get((), ()))}
    if own is not None:
        params["own_patient"] = own
    if sight.owns:
        params["own_patients"] = list(standing.owns)
    params |= {"requester": standing.actor_key, "proposed": runtime.keys.token("proposed")}
    params["unnamed"] = sorted(standing.unnamed)
    narrowed = narrowing(subject.scopes, runtime.keys)
    params |= {} if narrowed is None else narrowed.params
    return Decision(
        action=action,
        structure=(
            tuple(signatures),
            standing.policies if standing.everyone else None,
            own is not None,
            sight.owns,
            access,
            nobodys,
            proposals,
            sight.many,
            None if narrowed is None else narrowed.structure,
        ),
        sight=sight,
        params=params,
        nobodys=nobodys,
        proposals=proposals,
        patients=frozenset(patient for group in groups for patient in group),
        grants=tuple(_grants(standing, signatures)),
        policies=_bearing(runtime, standing.policies),
        narrowing=narrowed,
    )


async def grants_towards(
    runtime: Runtime, connection: Connection, standing: Standing, patient: int
) -> tuple[StandingGrant, ...]:
    """What permits and blocks the caller towards one patient, in the order of `standing.refs`; costs as `decide`."""
    await _learn_shapes(runtime, connection, standing)
    return _bearing(runtime, standing.signature_towards(patient))


def _covers(shape: Shape, type_name: str) -> bool:
    """Whether the shape is one node that asks for nothing but the type."""
    if len(shape.nodes) != 1:
        return False
    node = shape.nodes[0]
    named = type_name in node.types if node.classed else type_name not in UNNAMED_EXCLUDED
    return named and replace(node, types=(), categories=()) == ShapeNode(deny=False)


def _bearing(runtime: Runtime, signature: Signature) -> tuple[StandingGrant, ...]:
    return tuple(
        StandingGrant(held.effect, runtime.shapes.get(held.shape_key), held.trues, held.falses)
        for held in signature
    )


def _grants(standing: Standing, signatures: Sequence[Signature]) -> list[tuple[int, str]]:
    """Every grant by its number, for the audit to name those that were relied on."""
    found = [
        (granted(patient, place), ref)
        for signature in signatures
        for patient in standing.groups[signature]
        for place, ref in enumerate(standing.refs.get(patient, ()))
    ]
    policies = standing.refs.get(NOBODY, ()) if standing.everyone else ()
    return [*found, *((ruled(place), ref) for place, ref in enumerate(policies))]


async def _learn_shapes(runtime: Runtime, connection: Connection, standing: Standing) -> None:
    wanted = {held.shape_key for signature in (*standing.groups, standing.policies) for held in signature}
    missing = wanted - runtime.shapes.keys()
    if missing:
        # What stays unknown never grants and always blocks.
        runtime.shapes.update(await load_shapes(connection, missing))
