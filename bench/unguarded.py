"""The service without its condition and its wall: what both cost is what it is faster.

http://hl7.org/fhir/R4/consent.html

Everything else of a request stays: the token, the standing, the audit row. Only the measurement starts it, on a
database of fictional people, as a superuser whom no wall binds.
"""

from unittest.mock import patch

from sqlalchemy import true

from passport import serving
from passport.decision import Decision

MODULE = "bench.unguarded"

if __name__ == "__main__":
    with patch.object(Decision, "clause", lambda _decision, _record: true()):
        serving.main()
