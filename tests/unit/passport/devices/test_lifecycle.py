from typing import get_args

from passport.devices.lifecycle import Status, Verb, after

LIFE = {
    ("pending", "approve"): "active",
    ("active", "suspend"): "suspended",
    ("suspended", "resume"): "active",
    ("pending", "revoke"): "revoked",
    ("active", "revoke"): "revoked",
    ("suspended", "revoke"): "revoked",
}


def test_these_changes_exist_and_no_others() -> None:
    every = {(status, verb): after(status, verb) for status in get_args(Status) for verb in get_args(Verb)}
    assert {change: status for change, status in every.items() if status is not None} == LIFE


def test_a_revoked_device_stays_revoked() -> None:
    assert {after("revoked", verb) for verb in get_args(Verb)} == {None}
