"""What a client asks a person for: read, checked, and known to be the client's own, before anybody is shown it.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
https://www.rfc-editor.org/rfc/rfc9126
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code

Until client and address are known to belong together nothing is sent there: what is wrong is told to the person.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from anyio import to_thread
from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error

from passport.identity import clients
from passport.identity.authorization import families, redirects, store
from passport.identity.authorization.core import Answer, Asked, Core, Turn
from passport.identity.authorization.errors import ErrorCode, Refusal, UnknownRequest
from passport.identity.authorization.grants import CodeGrant, StrictChallenge
from passport.identity.authorization.wanted import LAUNCH, LAUNCH_ENCOUNTER, Wanted, contexts_of, wanted
from passport.identity.purposes import GRANTABLE
from passport.query_strings import storable
from passport.sql import fetch

QUERY_MAX_CHARACTERS: Final = 8_192
FIELDS_MAX: Final = 32
REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"  # RFC 9126, section 2.2

_UNREAD: Final = frozenset({"request", "registration", "claims", "id_token_hint", "authorization_details"})
"""Parameters that would change what is asked for, and are not read: better no answer than one to another question."""

_PRINTED: Final[Mapping[str, re.Pattern[str]]] = {
    "state": re.compile(r"[\x20-\x7e]{1,1024}"),
    "nonce": re.compile(r"[\x20-\x7e]{1,256}"),
    "prompt": re.compile(r"login|consent|none|select_account"),
    "max_age": re.compile(r"[0-9]{1,9}"),
    "response_mode": re.compile(r"query"),
    # Of 32 octets: the last letter has two bits to spare, and they are zero.
    "dpop_jkt": re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"),
    "launch": re.compile(r"[A-Za-z0-9_-]{1,64}"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks a person for, in whatever way."""

    client: clients.Client
    fields: Mapping[str, str]
    wanted: Wanted

    @property
    def redirect_uri(self) -> str:
        """Where the answer goes: one of the client's registered addresses, or none for a device."""
        return self.fields.get("redirect_uri", "")


@dataclass(frozen=True, slots=True)
class Question(Wish):
    """What a client asks for through a browser; `pushed` is the name under which it was sent beforehand."""

    grant: CodeGrant
    server: Core
    pushed: bytes | None


class Conditions:
    """What is asked of a request beyond RFC 6749 and PKCE, whoever sends it."""

    def __call__(self, grant: CodeGrant) -> None:
        """Have them checked with the request."""
        grant.register_hook("after_validate_authorization_request_payload", self.check)

    def check(self, grant: CodeGrant, _: object) -> None:
        """Refuse what cannot be carried out as it is asked for."""
        fields, settings = grant.request.form, grant.turn.runtime.settings
        unread = sorted(_UNREAD & fields.keys())
        if unread:
            raise Refusal("invalid_request", f"parameters that are not read here: {', '.join(unread)}")
        for name, pattern in _PRINTED.items():
            if name in fields and not pattern.fullmatch(fields[name]):
                raise Refusal("invalid_request", f"expected another {name}")
        if "state" not in fields:
            raise Refusal("invalid_request", "expected state")
        _check_audience(fields, settings.fhir_url)
        purpose = fields.get("purpose_of_use")
        if purpose is not None and purpose not in GRANTABLE:
            raise Refusal("invalid_request", f"expected purpose_of_use, one of {', '.join(GRANTABLE)}")
        if purpose is not None and not clients.may_ask_for(grant.request.client.client, purpose):
            raise Refusal("unauthorized_client", "this purpose of use is not allowed for the client")
        asked = frozenset(grant.request.scope.split())
        if LAUNCH in asked and "launch" not in fields:
            raise Refusal(
                "invalid_request", "expected launch, which comes from the system that opened the app"
            )
        if LAUNCH_ENCOUNTER in asked and LAUNCH not in asked:
            raise Refusal(
                "invalid_scope", "expected launch beside launch/encounter: a person names no visit here"
            )


def _check_audience(fields: Mapping[str, str], fhir_url: str) -> None:
    """A token is for this service alone; whoever asks for one has to know for which (SMART, `aud`; RFC 8707)."""
    named = {fields[name].rstrip("/") for name in ("aud", "resource") if name in fields}
    if named != {fhir_url}:
        raise Refusal("invalid_target", f"expected aud {fhir_url}")


class AuthorizeServer(Core):
    """The server of a request that a browser sends."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(turn)
        self.register_grant(CodeGrant, [StrictChallenge(), Conditions()])


async def question(turn: Turn, query: str) -> Question:
    """Read what is asked for in a query.

    Raises:
        UnknownRequest: client and address are not known to belong together.
        OAuth2Error: something else is wrong; its `redirect_uri` may be told.
    """
    sent = _fields(query)
    fields, pushed = await _pushed(turn, sent)
    return await checked(turn, fields, pushed)


async def checked(
    turn: Turn, fields: Mapping[str, str], pushed: bytes | None, *, pushing: bool = False
) -> Question:
    """Check what is asked for; `pushing` where it is being sent beforehand.

    Raises:
        OAuth2Error: as `question`.
    """
    client = await clients.client(turn.connection, fields.get("client_id", ""))
    address = fields.get("redirect_uri", "")
    if client is None or not client.active or not redirects.matches(address, client.redirect_uris):
        raise UnknownRequest
    turn.client = client
    told = {"redirect_uri": address, "state": fields.get("state")}
    if fields.get("response_type") != "code":
        # Authlib would repeat what was asked for in its answer, whatever that is.
        error: ErrorCode = "unsupported_response_type" if fields.get("response_type") else "invalid_request"
        raise Refusal(error, "expected response_type code", **told)
    if client.profile.pushed and pushed is None and not pushing:
        raise Refusal("invalid_request", "expected request_uri: what is asked for is sent beforehand", **told)
    server = AuthorizeServer(turn)
    grant = await to_thread.run_sync(server.get_consent_grant, Asked("GET", fields))
    contexts = contexts_of(client.grant_types)
    sandbox = turn.runtime.settings.sandbox
    read = wanted(grant.request.scope.split(), contexts=contexts, sandbox=sandbox)
    return Question(client, fields, read, grant, server, pushed)


def told(turn: Turn, error: OAuth2Error) -> Answer:
    """The answer to a request that is refused: to the client where its address is known, else to the person."""
    if error.redirect_uri is None:
        return Answer(error.status_code, dict(error.get_body()))
    issuer = ("iss", turn.runtime.settings.base_url)
    return Answer(303, {}, add_params_to_uri(error.redirect_uri, [*error.get_body(), issuer]))


def _fields(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=False, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        pairs = []
    fields = dict(pairs)
    if len(query) > QUERY_MAX_CHARACTERS or len(fields) != len(pairs) or not storable(pairs):
        raise UnknownRequest("expected a request of texts in which no parameter is repeated")
    return fields


async def _pushed(turn: Turn, sent: dict[str, str]) -> tuple[Mapping[str, str], bytes | None]:
    """What was sent beforehand under a name, and nothing of what stands beside the name."""
    if "request_uri" not in sent:
        return sent, None
    hashed = families.hashed(sent["request_uri"].removeprefix(REQUEST_URI))
    params: dict[str, Any] = {
        "request_hash": hashed,
        "client_id": sent.get("client_id", ""),
        "now": turn.now,
    }
    rows = await fetch(turn.connection, store.PUSHED, params)
    if not rows or not sent["request_uri"].startswith(REQUEST_URI):
        raise UnknownRequest(
            "expected request_uri of this client, not older than its minutes, and not used before"
        )
    return rows[0].parameters, hashed
