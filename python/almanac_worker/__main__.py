"""Started as `python …/almanac_worker/__main__.py`; sockets and output files come as open descriptors."""

import os
import sys

if __name__ == "__main__":  # a child of multiprocessing imports this file under another name
    # Isolated mode puts nothing on the path, and the other mode the folder of this file: neither is wanted.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", here)]
    sys.path.append(os.path.dirname(here))

    from almanac_worker.start import main

    main()
