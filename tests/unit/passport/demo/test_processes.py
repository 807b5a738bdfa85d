import os
from pathlib import Path

from passport.demo.books import Books
from passport.demo.processes import Part


def test_what_a_process_says_is_for_its_owner_alone(tmp_path: Path) -> None:
    part = Part(("platform",), dict(os.environ), tmp_path / "part.log")
    part.start()
    assert part.process is not None
    assert part.process.wait(timeout=30) == 0
    assert part.last_words
    assert part.log.stat().st_mode & 0o777 == 0o600


def test_the_demos_books_with_its_private_keys_are_for_its_owner_alone(tmp_path: Path) -> None:
    Books.read(tmp_path).write(tmp_path)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]
