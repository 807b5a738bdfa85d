"""What the tests over HTTP may ask for beside the databases."""

from tests.city_fixtures import maker, module_city, phone
from tests.http.import_fixtures import counter, import_town
from tests.town_fixtures import cast, hanako, taro, town

__all__ = ["cast", "counter", "hanako", "import_town", "maker", "module_city", "phone", "taro", "town"]
