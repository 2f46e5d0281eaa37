"""What is said where the device of a run fails: one sentence, with what was saved before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from umnist_core.errors import DeviceLostError, TooLargeError, UmnistError
from umnist_core.hardware import Hardware, is_device_lost, is_out_of_memory
from umnist_core.training.state import find_progress


@contextmanager
def failures_said(
    hardware: Hardware, what: str, advice: str, *, memory: str = "", state: Path | None = None
) -> Iterator[None]:
    """Turn the failure of a device, until the block ends, into a sentence.

    Parameters
    ----------
    hardware
        What computes.
    what
        What takes the memory, such as ``"A step of 16 images"``.
    advice
        What to do where memory does not suffice.
    memory
        The budget as it was set; empty for all that the device has.
    state
        The file of where the run is, which need not be there yet; None where none is meant.

    Raises
    ------
    TooLargeError
        If memory ran out.
    DeviceLostError
        If the device can compute nothing more.
    """
    try:
        yield
    except UmnistError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise TooLargeError(
                f"{what} does not fit into the memory of "
                f"{memory or f'this device ({hardware.title})'}; {advice}; {_go_on(state)}."
            ) from error
        if is_device_lost(error):
            raise DeviceLostError(
                f"Expected {hardware.key} ({hardware.title}) to go on, found that it no longer "
                f"computes ({str(error).splitlines()[0][:100]}); {_go_on(state)}, or choose "
                "another device."
            ) from error
        raise


def _go_on(state: Path | None) -> str:
    """Return what was saved, and what the same command does."""
    if state is None:
        return "the same command tries again"
    done = find_progress(state)
    if done is None:
        return "nothing was saved yet, so the same command begins anew"
    place = f"epoch {done.epoch + 1}, step {done.step}" if done.batch_size else f"step {done.step}"
    return f"{state} holds where it was at {place}, and the same command goes on from there"
