"""What follows from the device that computes: memory, precision, copies, names, failures."""

from umnist_core.hardware.base import Hardware
from umnist_core.hardware.failures import is_device_lost, is_out_of_memory
from umnist_core.hardware.machine import find_gpus, find_hardware, hardware_of

__all__ = [
    "Hardware",
    "find_gpus",
    "find_hardware",
    "hardware_of",
    "is_device_lost",
    "is_out_of_memory",
]
