"""`python -m almanac`: the command of the engine, where the one that pip installs is not on the path."""

from .location import main

main()
