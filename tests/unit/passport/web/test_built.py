"""What the build left is served as it is, and it is built once."""

import gzip
from pathlib import Path

import orjson

from hatch_build import BUILT, build
from passport.web.built import FOLDER, built
from tests.unit.house.source import ROOT


def test_where_nothing_was_built_there_are_no_pages(tmp_path: Path) -> None:
    found = built(tmp_path)
    assert not found.is_there
    assert found.assets == {}


def test_the_manifest_names_what_a_page_loads(tmp_path: Path) -> None:
    entry = {"file": "main-a.js", "css": ["main-b.css"], "isEntry": True}
    (tmp_path / "manifest.json").write_bytes(
        orjson.dumps({"src/main.tsx": entry, "later": {"file": "later-c.js"}})
    )
    for name in ("main-a.js", "main-b.css", "later-c.js", "forgotten-d.js"):
        (tmp_path / name).write_text(name)
    found = built(tmp_path)
    assert (found.script, found.styles) == ("main-a.js", ("main-b.css",))
    assert set(found.assets) == {"main-a.js", "main-b.css", "later-c.js"}
    assert found.assets["main-b.css"].media_type == "text/css; charset=utf-8"
    assert gzip.decompress(found.assets["later-c.js"].zipped) == b"later-c.js"


def test_what_stands_as_it_would_be_built_is_not_built_again() -> None:
    build(ROOT)
    assert not build(ROOT)
    assert ROOT / BUILT == FOLDER
