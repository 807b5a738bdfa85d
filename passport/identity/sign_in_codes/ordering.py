"""For whom a sign-in code is asked for, as an operator or the city desk says it.

https://www.rfc-editor.org/rfc/rfc6749
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from passport.identity import codes, persons
from passport.identity.principals import UnknownPrincipal
from passport.identity.purposes import all_grantable
from passport.outcomes import Invalid


@dataclass(frozen=True, slots=True)
class Order:
    """For whom a code is asked for; `person` is the Practitioner whom a person of the city is as well."""

    login: str
    subject: str
    purposes: tuple[str, ...]
    scopes: tuple[str, ...]
    person: str | None

    @classmethod
    def read(cls, tree: Mapping[str, Any]) -> Self:
        """Read for whom a code is.

        Raises:
            Invalid: a member is missing, unknown or unfit.
        """
        if tree.keys() - {"login", "subject", "purposes", "scopes", "person"}:
            raise Invalid("got an unknown member, expected login, subject, purposes, scopes, person")
        login, reference, asked = (
            codes.login_of(tree.get("login")),
            tree.get("subject"),
            tree.get("scopes", []),
        )
        if not isinstance(reference, str) or not isinstance(asked, list):
            raise UnknownPrincipal
        order = cls(
            login=login,
            subject=persons.person_for(reference, login),
            purposes=all_grantable(tree.get("purposes")),
            scopes=tuple(map(str, asked)),
            person=persons.practitioner_of(tree.get("person")),
        )
        if order.person is not None and not order.of_city:
            text = "got `person` beside a subject that is one, expected it for the city alone"
            raise Invalid(text, ("person",))
        return order

    @property
    def of_city(self) -> bool:
        """Whether it is for somebody who acts for the city."""
        return persons.city_kind(self.subject) is not None
