"""Which tests begin first: the longest, so that none is left to one process while the others have nothing to do.

https://pytest-xdist.readthedocs.io/en/stable/distribution.html
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

LONGEST: Final = (
    "tests/http/test_demo_story.py",
    "tests/properties/test_consent_worlds.py",
    "tests/properties/test_preview.py",
    "tests/faults/test_workers_kill.py",
    "tests/attacks/test_revocation.py",
    "tests/attacks/test_noninterference_leak.py",
    "tests/properties/test_merging.py",
    "tests/unit/fhirstore/test_lastn_plan.py",
    "tests/faults/test_embedded_shared.py",
    "tests/faults/test_embedded_kill.py",
    "tests/attacks/test_operation_leaks.py",
    "tests/http/test_fhir_hospital.py",
)
"""Modules that take half a minute and more, longest first."""


def order(node_ids: Sequence[str], processes: int) -> list[int]:
    """The places of the same tests, dealt so that each process begins with its share of the longest.

    With `worksteal` a process begins with an unbroken part of the list, all parts of one size; whoever is done
    first takes from the end of another's part. The tests of a module stay together.
    """
    of_module: dict[str, list[int]] = {module: [] for module in LONGEST}
    others: list[int] = []
    for place, node_id in enumerate(node_ids):
        of_module.get(node_id.partition("::")[0], others).append(place)
    waiting = iter(others)
    dealt: list[int] = []
    for process in range(processes):
        longest = [place for module in LONGEST[process::processes] for place in of_module[module]]
        size = (len(node_ids) - len(dealt)) // (processes - process)
        dealt += [*longest, *islice(waiting, max(0, size - len(longest)))]
    return [*dealt, *waiting]
