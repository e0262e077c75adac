"""Which package this is: engine and package are released together."""

import os

__all__ = ["HOME", "VERSION"]

VERSION = "0.1.0"

#: the folder of the package
HOME = os.path.dirname(os.path.abspath(__file__))
