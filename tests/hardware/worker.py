"""The real process of models, on a recorded machine: ``python -m tests.hardware.worker``."""

from __future__ import annotations

import os

from tests.hardware.recorded import VARIABLE, machine_from, standing_in
from umnist_core.inference.worker import main

if __name__ == "__main__":
    with standing_in(machine_from(os.environ[VARIABLE])):
        main()
