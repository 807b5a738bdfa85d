"""What the tests of identity may ask for beside the databases."""

from tests.city_fixtures import module_city

__all__ = ["module_city"]
