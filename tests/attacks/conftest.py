"""What the tests of attacks may ask for beside the databases."""

from tests.city_fixtures import maker, module_city, phone
from tests.town_fixtures import cast, hanako, taro, town

__all__ = ["cast", "hanako", "maker", "module_city", "phone", "taro", "town"]
