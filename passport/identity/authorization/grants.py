"""The grants of the token endpoint: Authlib's, each asking us for what it needs.

https://www.rfc-editor.org/rfc/rfc6749#section-4
https://www.rfc-editor.org/rfc/rfc7636

A code is taken before it is looked at: whoever presents it with a wrong verifier or address has used it up.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc7636 import CodeChallenge

from passport.identity.authorization import families, issuing, notifying, remaining, store
from passport.identity.authorization.core import Asked, Core, CoreClient, Turn
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.profiles import CODE, CREDENTIALS, REFRESH
from passport.identity.clients import Client
from passport.identity.record_scopes import record_scope, record_scopes
from passport.sql import Row, fetch
from passport.subjects import Subject

METHODS: Final = ["private_key_jwt", "none"]
SPENT: Final = (
    "expected a code or token that was issued to this client, has not ended, and was not used before"
)


@dataclass(frozen=True, slots=True)
class Grantee:
    """For whom a token is issued: a family that goes on, and its person as they stand now."""

    family: Row
    subject: Subject


@dataclass(frozen=True, slots=True)
class SpentCode:
    """A code that this request took."""

    redirect_uri: str
    code_challenge: str
    thumbprint: bytes | None
    family: Row
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What its person allowed."""
        return " ".join(self.family.scopes)


@dataclass(frozen=True, slots=True)
class Refreshing:
    """A refresh token that may be used."""

    family: Row

    def check_client(self, client: CoreClient) -> bool:
        """Whether it was issued to this client."""
        return bool(self.family.client_id == client.get_client_id())

    def get_scope(self) -> str:
        """What its person allowed."""
        return " ".join(self.family.scopes)


class StrictChallenge(CodeChallenge):
    """PKCE by S256, of every client; Authlib alone would take `plain`, and a code without any challenge."""

    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar = ["S256"]
    CODE_CHALLENGE_METHODS: ClassVar = {"S256": CodeChallenge.CODE_CHALLENGE_METHODS["S256"]}

    def __init__(self) -> None:
        super().__init__(required=True)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with one of another method."""
        fields = grant.request.payload.data
        if not fields.get("code_challenge") or fields.get("code_challenge_method") != "S256":
            raise Refusal("invalid_request", "expected code_challenge with code_challenge_method S256")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(AuthorizationCodeGrant):
    """A code for a person's decision, and a token for a code."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    GRANT_TYPE = CODE
    server: Core
    request: Asked

    @property
    def turn(self) -> Turn:
        """The request with its transaction."""
        return self.server.turn

    def generate_authorization_code(self) -> str:
        """Draw a code from the installation's own source of randomness."""
        self._text, self._kept = families.secret(self.turn.runtime)
        return self._text

    def save_authorization_code(self, code: str, request: Asked) -> None:
        """Keep what the person, who stands in the request, allowed."""
        self.turn.wait(request.user.keep, self.turn, self._kept)

    def query_authorization_code(self, code: str, client: CoreClient) -> SpentCode:
        """Take the code; one that was taken before ends whatever it began.

        Raises:
            Refusal: it is none that this client may use.
        """
        return self.turn.wait(_spend_code, self.turn, code, client.client)

    def delete_authorization_code(self, authorization_code: SpentCode) -> None:
        """Nothing: it was taken, and is kept to be known again."""

    def authenticate_user(self, authorization_code: SpentCode) -> Grantee | None:
        """Its person as they stand now."""
        return self.turn.wait(grantee, self.turn, authorization_code.family)


class RefreshGrant(RefreshTokenGrant):
    """A new token by a refresh token, which is good once where the client's profile rotates them."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    GRANT_TYPE = REFRESH
    server: Core
    request: Asked

    @property
    def turn(self) -> Turn:
        """The request with its transaction."""
        return self.server.turn

    def authenticate_refresh_token(self, refresh_token: str) -> Refreshing:
        """Take the token; one that was taken before ends its family.

        Raises:
            Refusal: it is none that this client may use, or more is asked for than was allowed, which takes nothing.
        """
        client = self.request.client.client
        self._listed = (self.request.payload.scope or "").split()
        self.turn.wait(remaining.check_scope, self.turn, refresh_token, client, self._listed)
        return self.turn.wait(_spend_refresh, self.turn, refresh_token, client)

    def _validate_token_scope(self, token: Refreshing) -> None:
        """Nothing: it was looked at before the token was taken."""

    def issue_token(self, user: Grantee, refresh_token: Refreshing) -> dict[str, Any]:
        """The new token, for what is still allowed, with another refresh token where they are good once."""
        client = self.request.client.client
        asked = [scope for scope in map(record_scope, self._listed) if scope is not None]
        wished = asked if self._listed else record_scopes(refresh_token.family.scopes)
        left = self.turn.wait(remaining.still_allowed, self.turn, refresh_token.family, client, wished)
        token: dict[str, Any] = self.generate_token(
            user=user, scope=" ".join(sorted(left)), include_refresh_token=client.profile.rotates
        )
        return token

    def authenticate_user(self, refresh_token: Refreshing) -> Grantee | None:
        """Its person as they stand now."""
        return self.turn.wait(grantee, self.turn, refresh_token.family)

    def revoke_old_credential(self, refresh_token: Refreshing) -> None:
        """Nothing: it was taken."""


class ServiceGrant(ClientCredentialsGrant):
    """A token for a service as itself."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    GRANT_TYPE = CREDENTIALS


async def _spend_code(turn: Turn, code: str, client: Client) -> SpentCode:
    params = {"code_hash": families.hashed(code), "client_id": client.client_id, "now": turn.now}
    taken = await fetch(turn.connection, store.SPEND_CODE, params)
    if not taken:
        for row in await fetch(turn.connection, store.FAMILY_OF_CODE, params):
            await notifying.end_reused(turn, row.family_id, client)
        raise Refusal("invalid_grant", SPENT)
    (row,) = taken
    turn.spent = row.family_id
    family = await families.held(turn.connection, row.family_id, now=turn.now)
    if family is None or row.thumbprint not in {None, turn.thumbprint}:
        raise Refusal("invalid_grant", SPENT)
    return SpentCode(row.redirect_uri, row.challenge, row.thumbprint, family)


async def _spend_refresh(turn: Turn, text: str, client: Client) -> Refreshing:
    params = {"token_hash": families.hashed(text), "client_id": client.client_id, "now": turn.now}
    taken = await fetch(turn.connection, store.SPEND_REFRESH, params) if client.profile.rotates else []
    known = taken or await fetch(turn.connection, store.REFRESH, params)
    if not known:
        raise Refusal("invalid_grant", SPENT)
    (row,) = known
    if client.profile.rotates and not taken:
        await notifying.end_reused(turn, row.family_id, client)
        raise Refusal("invalid_grant", SPENT)
    family = await families.held(turn.connection, row.family_id, now=turn.now)
    if family is None:
        raise Refusal("invalid_grant", SPENT)
    # RFC 9449, section 5: what a client without a key of its own got is for the key that it proved.
    if client.public and family.confirmation is not None and family.confirmation != turn.thumbprint:
        raise Refusal("invalid_grant", SPENT)
    if taken:
        turn.spent = row.family_id
    return Refreshing(family)


async def grantee(turn: Turn, family: Row) -> Grantee:
    """The person of a family as they stand now.

    Raises:
        Refusal: they act no more; the family ends with that.
    """
    client = issuing.client_of(turn)
    subject = await families.subject_of(turn.runtime, turn.connection, family, client, now=turn.now)
    if subject is None:
        turn.spent = family.family_id
        raise Refusal("invalid_grant", "expected a person who may still act as they did")
    turn.subject = subject
    return Grantee(family, subject)
