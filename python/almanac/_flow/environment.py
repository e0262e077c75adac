"""The packages that tasks run with."""

from __future__ import annotations

import os
import sys

from ..errors import refused

__all__ = ["Environment"]


class Environment:
    """
    Packages that tasks run with: a requirements file, relative to the file that says so, and the interpreter
    (`python="python3.12"`). It is made once for its content; docs/python.md. `threads` is how many calls one process may
    run at once, for tasks that do not say it themselves.

    >>> import os
    >>> from almanac import Environment, task
    >>> env = Environment("requirements.txt", python="python3.12")
    >>> os.path.basename(env.requirements)
    'requirements.txt'
    """

    def __init__(
        self, requirements: str | os.PathLike[str], python: str | None = None, threads: int | None = None
    ) -> None:
        if threads is not None and not (isinstance(threads, int) and threads >= 1):
            raise refused(
                f"option threads of Environment is not valid: {threads!r} is no whole number from 1",
                "Write threads=4: how many calls one process may run at once.",
                "ALM_OPTION_REFUSED",
            )
        folder = os.path.dirname(os.path.abspath(sys._getframe(1).f_code.co_filename))
        self.requirements = os.path.normpath(os.path.join(folder, os.fspath(requirements)))
        self.python = python
        self.threads = threads
