"""``python -m umnist_core.cli`` is the same as ``umnist``."""

from umnist_core.cli import main

main()
