"""The CapabilityStatement, made from the tables that the code executes.

http://hl7.org/fhir/R4/capabilitystatement.html
http://hl7.org/fhir/R4/http.html#capabilities
"""

from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.parameters import Kind, SearchParameter, parameters_of
from fhirstore.registry import COMMON
from fhirstore.search.across import TYPE
from fhirstore.types import ResourceType, types_of
from fhirstore.validate.profiles import PROFILES
from passport import interactions
from passport.identity.authorization.discovery import metadata
from passport.interactions import ON_THE_SYSTEM, ON_TYPES, READ_ONLY
from passport.operations import OPERATIONS, OperationDefinition
from passport.outcomes import Invalid, PassportError
from passport.routes.messages import check_accept, fhir_response, runtime_of
from passport.routes.subsets import cut, single, wanted_part
from passport.settings import Settings

router = APIRouter(prefix="/fhir", tags=["FHIR"])

PUBLISHED: Final = "2026-11-22"

# https://hl7.org/fhir/smart-app-launch/STU2/conformance.html#using-cs
OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OAUTH_ADDRESSES: Final = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "register": "registration_endpoint",
    "introspect": "introspection_endpoint",
    "revoke": "revocation_endpoint",
}

_TYPE_TOLD: Final = (
    "Types between commas; with it whatever parameter all of them have, without it these alone."
)

_MODE: Final = "mode"
MODES: Final = ("full", "normative", "terminology")

TRIAL_USE: Final = frozenset(
    {"conditionalCreate", "conditionalRead", "conditionalUpdate", "conditionalDelete"}
)
"""Elements of what is told of a type that R4 has for trial use, in a resource that is normative."""

_Json = dict[str, Any]


class NoTerminology(PassportError):
    """There is no TerminologyCapabilities: this is no terminology server."""

    outcome = "not-found"

    def __init__(self) -> None:
        text = "got mode `terminology`, expected `full` or `normative`: no terminology service is offered"
        super().__init__(404, "not-supported", text, ("mode",))


@router.get("/metadata")
async def capabilities(request: Request) -> Response:
    """What this server can do; readable by anyone."""
    check_accept(request)
    wanted = wanted_part(request, "CapabilityStatement", beside=(_MODE,))
    normative = _is_normative(single(request, _MODE))
    return fhir_response(cut(_written(runtime_of(request).settings, normative=normative), wanted))


def _is_normative(mode: str | None) -> bool:
    """Whether the normative part alone is asked for.

    Raises:
        NoTerminology: what the server can do with terminologies is asked for.
        Invalid: there is no such mode.
    """
    if mode == "terminology":
        raise NoTerminology
    if mode not in (None, *MODES):
        raise Invalid(f"got an unknown mode, expected one of {', '.join(MODES)}", ("mode",))
    return mode == "normative"


@lru_cache(maxsize=2)
def _written(settings: Settings, *, normative: bool) -> bytes:
    told = statement(settings)
    return orjson.dumps(_normative(told) if normative else told)


def _normative(told: _Json) -> _Json:
    """The statement without the elements that are for trial use."""
    rest = [
        {**each, "resource": [_without_trial_use(row) for row in each["resource"]]} for each in told["rest"]
    ]
    return {**told, "rest": rest}


def _without_trial_use(row: _Json) -> _Json:
    return {name: value for name, value in row.items() if name not in TRIAL_USE}


def statement(settings: Settings) -> dict[str, Any]:
    """The CapabilityStatement of an installation."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "Healthcare data passport", "version": version("healthcare-passport")},
        "implementation": {"description": "Healthcare data passport", "url": settings.fhir_url},
        "fhirVersion": "4.0.1",
        "format": list(interactions.FORMATS),
        **_unless_empty({"patchFormat": list(interactions.PATCH_FORMATS)}),
        "rest": [_rest(settings)],
    }


def _rest(settings: Settings) -> _Json:
    held = types_of(sandbox=settings.sandbox)
    return {
        "mode": "server",
        "security": _security(settings),
        "resource": [_resource(row, held, sandbox=settings.sandbox) for row in held.values()],
        "searchParam": [
            {"name": TYPE, "type": "special", "documentation": _TYPE_TOLD},
            *({"name": each.name, "type": each.kind.code} for each in COMMON),
        ],
        **_unless_empty(
            {
                "interaction": [{"code": code} for code, served in ON_THE_SYSTEM.items() if served],
                "operation": [_operation(each) for each in OPERATIONS if "system" in each.levels],
                "compartment": list(interactions.COMPARTMENTS),
            }
        ),
    }


def _security(settings: Settings) -> _Json:
    """Where tokens come from; some clients look here, and not into the configuration that SMART has now."""
    told = metadata(settings)
    named = [{"url": name, "valueUri": told[member]} for name, member in _OAUTH_ADDRESSES.items()]
    return {
        "extension": [{"url": OAUTH_URIS, "extension": named}],
        "cors": True,
        "service": [{"coding": [{"system": SECURITY_SERVICE, "code": "SMART-on-FHIR"}]}],
        "description": "Opaque tokens; what a caller sees is what the patients' consents permit. No scope of `*` "
        "writes Consent or RelatedPerson: these are named.",
    }


def _resource(row: ResourceType, held: Iterable[str], *, sandbox: bool) -> _Json:
    # What lies with a patient gets its id here, but where a policy says otherwise: in a sandbox, and rarely in a city.
    names_itself = row.directory or row.is_patient or sandbox
    codes = [code for code, served in ON_TYPES.items() if served and (row.writable or code in READ_ONLY)]
    parameters = parameters_of(row.name).values()
    return {
        "type": row.name,
        **_unless_empty(
            {"supportedProfile": [url for url, each in PROFILES.items() if each.type == row.name]}
        ),
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned" if row.writable else "no-version",
        "readHistory": "vread" in codes,
        "updateCreate": interactions.UPDATE_CREATE and row.writable and names_itself,
        "conditionalCreate": interactions.CONDITIONAL_CREATE and row.writable,
        "conditionalRead": interactions.CONDITIONAL_READ if row.writable else "not-supported",
        "conditionalUpdate": interactions.CONDITIONAL_UPDATE and row.writable,
        "conditionalDelete": interactions.CONDITIONAL_DELETE if row.writable else "not-supported",
        **_unless_empty(
            {
                "searchInclude": [f"{row.name}:{each.name}" for each in parameters if _is_link(each)],
                "searchRevInclude": _links_to(row.name, held) if row.writable else [],
            }
        ),
        "searchParam": [{"name": each.name, "type": each.kind.code} for each in parameters],
        **_unless_empty({"operation": [_operation(each) for each in OPERATIONS if each.is_on(row.name)]}),
    }


def _links_to(type_name: str, held: Iterable[str]) -> list[str]:
    return [
        f"{name}:{each.name}"
        for name in held
        for each in parameters_of(name).values()
        if _is_link(each) and type_name in (each.targets or (type_name,))
    ]


def _is_link(parameter: SearchParameter) -> bool:
    return interactions.INCLUDES and parameter.kind is Kind.REFERENCE and parameter.type.writable


def _operation(operation: OperationDefinition) -> _Json:
    return {
        "name": operation.name,
        "definition": operation.definition,
        "documentation": operation.documentation,
    }


def _unless_empty(lists: _Json) -> _Json:
    # FHIR knows no empty lists.
    return {name: value for name, value in lists.items() if value}
