"""Started as `python …/almanac/_host/__main__.py`; the socket to the engine comes as descriptor 3."""

import os
import sys

if __name__ == "__main__":
    # Isolated mode puts nothing on the path, and the other mode the folder of this file: neither is wanted.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", here)]
    sys.path.append(os.path.dirname(os.path.dirname(here)))

    from almanac._host.start import main

    main()
