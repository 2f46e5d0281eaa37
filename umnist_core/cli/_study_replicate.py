"""``umnist study replicate`` and ``verdict``: an exported study once more, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path

import click
from tqdm import tqdm

from umnist_core.cli._study_choice import choose_study, count_of, study_argument
from umnist_core.cli._study_remake import remake_command
from umnist_core.cli._types import JOBS, GivenPath, Number
from umnist_core.errors import InvalidValueError, RefusedError
from umnist_core.labeling.service import open_service


@click.command(
    "replicate",
    epilog="\b\nExamples:\n"
    '  umnist study replicate pilot.zip --name "Pilot, again"\n'
    "  umnist study replicate pilot.zip --bounds 3\n",
)
@click.argument("source", type=GivenPath(dir_okay=False, never_waits=True))
@click.option("--name", help="Of the new study.  [Replication of …]")
@click.option(
    "--bounds",
    type=Number(0, 100, min_open=True, max_open=True),
    default=5.0,
    show_default=True,
    metavar="POINTS",
    help="Least difference of accuracies that matters; logged with the study.",
)
@click.option("--jobs", type=JOBS, help="Processes; one a core unless given.")
def replicate_command(*, source: Path, name: str | None, bounds: float, jobs: int | None) -> None:
    """Make a new study of the exported study SOURCE: same images, same texts, same settings.

    The images are taken from the export, or made anew from the key in the export of a closed
    study of generated images. Either way each is proved the same by its hash.
    """
    from umnist_core.labeling.replicate import replicate_study

    service = open_service()
    with tqdm(desc=source.name, unit=" images", smoothing=0, disable=None) as bar:

        def tell(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        made = replicate_study(
            service, source, name, bounds=bounds / 100, progress=tell, jobs=jobs or -1
        )
    spec = service.state(made.study).spec
    how = "made anew from the key" if made.are_remade else "taken from the export"
    click.echo(f"{made.study}: {spec.name}, {count_of(made.images, 'image')} {how}")
    click.echo(f"Replicates {made.original.study}, {made.original.name}.")
    if not made.original.is_closed:
        click.echo("The original was still open when it was exported; its figures are of then.")
    click.echo(f"Invite people with `umnist study invite {made.study} --count 30`.")


@click.command(
    "verdict",
    epilog="\b\nExamples:\n  umnist study verdict Again\n  umnist study verdict Again --json\n",
)
@study_argument
@click.option("--anyway", is_flag=True, help="Also while the study is open.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and no text.")
def verdict_command(*, study: str, anyway: bool, as_json: bool) -> None:
    """Say whether a replication found what its original did.

    Each accuracy, and the difference of the pools, is compared by a prediction interval and by
    equivalence within the bounds that the study was made with.
    """
    from umnist_core.labeling.replicate import find_verdict
    from umnist_core.scoring.plain import plain_value
    from umnist_core.scoring.replication import overall_sentence, verdict_sentence

    service, chosen = choose_study(study)
    one = service.overview(chosen)
    if one.spec.replicates is not None and one.status != "closed" and not anyway:
        raise RefusedError(
            f"{one.spec.name} is still open, and who looks at figures before the end is tempted "
            "to stop when they look good; close it first, or look with --anyway.",
            "open",
        )
    found = find_verdict(service, chosen)
    if found is None:
        raise InvalidValueError(
            f"Expected a study that replicates another, found that {one.spec.name} does not; "
            "`umnist study replicate EXPORT.zip` makes one."
        )
    service.note_seen(chosen, "verdict")
    original, compared = found
    if as_json:
        rows = [plain_value(each) for each in compared]
        click.echo(json.dumps({"original": original.to_dict(), "figures": rows}))
        return
    click.echo(f"{one.spec.name} replicates {original.name} ({original.study})")
    for each in compared:
        click.echo(f"  {verdict_sentence(each)}")
    click.echo(overall_sentence(compared))


REPLICATION_COMMANDS: tuple[click.Command, ...] = (
    remake_command,
    replicate_command,
    verdict_command,
)
