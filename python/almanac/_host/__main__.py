"""Started as `python …/almanac/_host/__main__.py`; the socket to the engine comes as descriptor 3."""

import os
import sys

if __name__ == "__main__":
    # Isolated mode puts nothing on the path, and the other mode the folder of this file: neither is wanted.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", here)]
    ours = os.path.dirname(os.path.dirname(here))
    # whatever version is installed beside it: engine and package speak with each other as released together
    sys.path.insert(0, ours)

    import almanac_task
    from almanac._host.start import main

    sys.path.remove(ours)
    sys.path.append(ours)
    main()
