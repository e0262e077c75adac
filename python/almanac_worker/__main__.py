"""Started as `python …/almanac_worker/__main__.py`; sockets and output files come as open descriptors."""

import os
import sys

if __name__ == "__main__":  # a child of multiprocessing imports this file under another name
    # Isolated mode puts nothing on the path, and the other mode the folder of this file: neither is wanted.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", here)]
    # before whatever version of it is installed: engine and package speak with each other as released together
    installed = (at for at, entry in enumerate(sys.path) if "site-packages" in entry or "dist-packages" in entry)
    sys.path.insert(next(installed, len(sys.path)), os.path.dirname(here))

    from almanac_worker.start import main

    main()
