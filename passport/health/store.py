"""The statement that readiness asks with.

https://alembic.sqlalchemy.org/
"""

from typing import Final

from passport.sql import Prepared

REVISION: Final = Prepared("SELECT version_num FROM alembic_version", {})
"""The revision that the database was migrated to."""
