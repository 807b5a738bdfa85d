"""The statement that readiness asks with.

https://alembic.sqlalchemy.org/
"""

from typing import Final

from passport.sql import Prepared

REVISION: Final = Prepared(
    """
SELECT version_num, (SELECT value FROM installation WHERE name = %(mark)s) AS labels,
    EXISTS (SELECT FROM patient WHERE patient_key <> 0) AS anybody
FROM alembic_version
""",
    {},
)
"""The revision that the database was migrated to, how far its records were labelled, and whether there are any."""
