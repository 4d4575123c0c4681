"""``python -m cti`` is ``cti``."""

from cti.cli import main

main()
