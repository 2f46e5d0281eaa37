"""The ``umnist`` command: parse, call one service, print.

Exit codes: 0 done, 1 it could not be done (one sentence on standard error says
why; of what nobody foresaw it says where the log has more), 2 the command itself
was wrong. A new command is a module of this package that is named in `COMMANDS`;
modules are imported only when they are asked for, so ``umnist --help`` stays quick.
"""

from __future__ import annotations

import importlib
import io
import os
import shlex
import sys
from contextlib import suppress

import click

from umnist_core import __version__
from umnist_core.cli._common import Commands, common_help
from umnist_core.cli._interrupts import lasting_interrupts
from umnist_core.errors import UmnistError
from umnist_core.incidents import record_incident

COMMANDS = {
    "app": ("app_command", "Run the workbench and print its address."),
    "bench": ("bench_group", "Measure this machine."),
    "breaking-point": (
        "breaking_point_command",
        "Measure accuracy over one parameter of the noise.",
    ),
    "datasets": ("datasets_group", "Look into data sets."),
    "digits": ("digits_group", "See or fetch the digits that images are made of."),
    "doctor": ("doctor_command", "Say what this machine has, and what to do."),
    "evaluate": ("evaluate_command", "Score a model on fresh images."),
    "fool": ("fool_command", "Search for noise under which a model answers otherwise."),
    "generate": ("generate_command", "Write a data set."),
    "models": ("models_group", "See models and checkpoints, and import weights."),
    "page": ("page_command", "Write images and what models make of them as one HTML file."),
    "people": ("people_group", "Lay models' answers beside people's, on the same images."),
    "predict": ("predict_command", "Let a model answer for an image, and see where it looked."),
    "render": ("render_command", "Draw one image."),
    "report": ("report_command", "Write all results as a static site."),
    "scales": ("scales_command", "Measure accuracy over scale on MNIST Large Scale."),
    "score": ("score_command", "Score a submission in Kaggle's form."),
    "sheet": ("sheet_command", "Write a contact sheet: by sum, or of a model's misses."),
    "study": ("study_group", "Run human-baseline studies."),
    "sweep": ("sweep_command", "Run every cell of a sweep, and go on where it stopped."),
    "tiles": ("tiles_group", "Write Deep Zoom tiles."),
    "train": ("train_command", "Train a model, within a memory budget."),
    "upscale": ("upscale_command", "Enlarge a photograph."),
    "validate": ("validate_command", "Compare a folder of images with a preset."),
}
"""Command name -> click command in ``umnist_core.cli.<command name>``, and its short help.

The help stands here so that listing the commands imports none of them.
"""


class _LazyGroup(Commands):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"umnist_core.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = getattr(module, COMMANDS[cmd_name][0])
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write(common_help())


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="umnist")
def root() -> None:
    """Make and view very large images with digits hidden in them.

    \b
    Examples:
      umnist app                                       open the workbench in a browser
      umnist render --seed 7 --index 3 sample.png      one 4000x4000 image
      umnist digits status                             which digits are used here
    """


def main() -> None:
    """Run the ``umnist`` command and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files may be no text, and a terminal may know ASCII alone.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with lasting_interrupts():
        code = _run()
    sys.exit(code)


def _run() -> int:
    """Run the command and return its exit code, whatever it raises."""
    try:
        code = root.main(standalone_mode=False, prog_name="umnist")
        if sys.stdout is not None:
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        # `python -m` ends with a signal, whatever code it is given, once Ctrl-C has come in the
        # middle of an `exec`, as dataclasses run it when they are imported; one more forgets it.
        exec("")
        _tell("stopped; nothing half-written was left.")
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UmnistError as error:
        _tell(str(error))
    except BrokenPipeError:
        # Whoever reads has left; the interpreter would say so when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # the boundary: what is not ours is told in a sentence, too
        command = shlex.join(["umnist", *sys.argv[1:]])
        _tell(record_incident(error, command).sentence)
    return 1


def _tell(sentence: str) -> None:
    with suppress(OSError, ValueError):  # nobody there to read it
        print(f"umnist: {sentence}", file=sys.stderr)
