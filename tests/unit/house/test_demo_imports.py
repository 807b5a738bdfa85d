"""The demo knows the service only by HTTP: nothing of store, consent, disclosure or intake reaches it."""

from typing import Final

import grimp

from tests.unit.house.source import product_modules

DEMO: Final = "passport.demo"
BEHIND_HTTP: Final = ("consent", "fhirstore.store", "passport.disclosure", "passport.intake")


def test_demo_reaches_nothing_behind_the_http_surface() -> None:
    graph = grimp.build_graph("passport", "consent", "workers", "fhirstore", "fhirmap", cache_dir=None)
    present = [name for name in BEHIND_HTTP if name in graph.modules]
    demo = [module.name for module in product_modules() if f"{module.name}.".startswith(f"{DEMO}.")]
    chains = [
        graph.find_shortest_chain(importer=importer, imported=imported)
        for importer in demo
        for imported in present
    ]
    assert [chain for chain in chains if chain] == []
