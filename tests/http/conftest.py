"""What the tests over HTTP may ask for beside the databases."""

from tests.town_fixtures import cast, hanako, taro, town

__all__ = ["cast", "hanako", "taro", "town"]
