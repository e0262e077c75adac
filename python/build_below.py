"""How pip builds the package where it is given the folder above: as where it is given this one."""

import os

os.chdir(os.path.dirname(os.path.abspath(__file__)))

from setuptools.build_meta import *  # noqa: E402, F401, F403
