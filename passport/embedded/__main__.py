"""`python -m passport.embedded`: the keeper, as the command starts it that needs the server first.

https://docs.python.org/3/library/__main__.html#main-py-in-python-packages
"""

import sys
from pathlib import Path

from passport.embedded.keeper import main

if __name__ == "__main__":
    state, major, unsafe_fast, descriptor = sys.argv[1:]
    sys.exit(main(Path(state), 16 if major == "16" else 18, unsafe_fast == "1", int(descriptor)))
