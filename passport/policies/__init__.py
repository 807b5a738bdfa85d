"""Policies of the city: Consents without patient, which one operator proposes and another one puts into force."""

from passport.policies.countersigning import check_policies

__all__ = ["check_policies"]
