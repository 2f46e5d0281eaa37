"""Commands of ``umnist study`` that check studies, and take them away and back as files."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from umnist_core.cli._study_choice import choose_study, count_of, study_argument
from umnist_core.cli._study_consent import amend_consent_command
from umnist_core.cli._types import GivenPath
from umnist_core.errors import UmnistError
from umnist_core.labeling.events import StudyCreated
from umnist_core.labeling.service import StudyService, open_service
from umnist_core.labeling.study_key import GUESSABLE, is_guessable
from umnist_core.labeling.verify import Verification

TABLE_KINDS = ("csv", "parquet", "json")


# -- checking ---------------------------------------------------------------------


@click.command(
    "verify",
    epilog="\b\nExamples:\n"
    "  umnist study verify\n"
    "  umnist study verify Pilot --without-images --json\n\n"
    "Ends with code 1 when something is wrong.",
)
@click.argument("studies", metavar="[STUDY]...", nargs=-1)
@click.option("--without-images", is_flag=True, help="Check the log and the store alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and no text.")
@click.pass_context
def verify_command(
    ctx: click.Context, *, studies: tuple[str, ...], without_images: bool, as_json: bool
) -> None:
    """Check the store, and log, state and images of studies; of all unless named."""
    service = open_service()
    chosen = [choose_study(text)[1] for text in studies] or service.studies()
    sound = not _say_store_faults(service, as_json=as_json)
    for study in chosen:
        found, images, guessable = _verify(service, study, with_images=not without_images)
        sound = sound and not found.faults
        if as_json:
            more = {"images": images, "is_guessable": guessable}
            click.echo(json.dumps({**asdict(found), **more}))
            continue
        state = "sound" if not found.faults else count_of(len(found.faults), "fault")
        click.echo(
            f"{study}: {state}; {count_of(found.events, 'event')}, {found.erased} of them erased, "
            f"{count_of(images, 'image')}, last hash {found.head_hash}"
        )
        for fault in found.faults:
            click.echo(f"  {fault}")
        if guessable:
            click.echo(f"  {GUESSABLE}")
    ctx.exit(0 if sound else 1)


def _say_store_faults(service: StudyService, *, as_json: bool) -> bool:
    """Say what is wrong with the store itself, and return whether something is."""
    faults = service.log.faults()
    if faults and as_json:
        click.echo(json.dumps({"store": service.log.place, "faults": faults}))
    elif faults:
        click.echo(f"The store {service.log.place}: {count_of(len(faults), 'fault')}")
        for fault in faults:
            click.echo(f"  {fault}")
    return bool(faults)


def _verify(
    service: StudyService, study: str, *, with_images: bool
) -> tuple[Verification, int, bool]:
    """Return what is wrong with a study, how many images were looked at, and if they are secret."""
    from umnist_core.labeling.verify import verify_log

    with service.log.snapshot() as log:
        found = verify_log(log, study)
        created = log.read(study)[0]
    faults = [*found.faults, *_state_faults(service, study)]
    if with_images:
        faults += _image_faults(service.study_folder(study))
    images = len(StudyCreated.read(created.payload).files) if with_images else 0
    return replace(found, faults=tuple(faults)), images, is_guessable(created)


def _image_faults(folder: Path) -> list[str]:
    from umnist_core.labeling.freeze import find_damaged

    if folder.is_dir():
        return find_damaged(folder)
    return [f"The images are not here: there is no folder {folder}. Nobody can label without."]


def _state_faults(service: StudyService, study: str) -> list[str]:
    """Return what hinders folding the log, or differs when it is folded twice."""
    from umnist_core.labeling.state import StudyState

    try:
        held = service.state(study)
        events = [one for one in service.log.read(study) if held.head and one.seq <= held.head.seq]
        again = StudyState(events)
    except (UmnistError, KeyError, TypeError, AttributeError, ValueError) as error:
        return [f"The state cannot be rebuilt from the log: {error}"]
    names = ("head", "status", "annotators", "invites", "slots")
    return [
        f"The state's {name} are not what the log says."
        for name in names
        if getattr(held, name) != getattr(again, name)
    ]


# -- backups ----------------------------------------------------------------------


@click.command(
    "backup",
    epilog="\b\nExamples:\n"
    "  umnist study backup\n"
    "  umnist study backup monday.zip --without-images\n\n"
    "Ends with code 1 when the store has faults; it is backed up all the same.",
)
@click.argument("target", required=False, type=GivenPath())
@click.option("--without-images", is_flag=True, help="Answers and truth alone.")
@click.pass_context
def backup_command(ctx: click.Context, *, target: Path | None, without_images: bool) -> None:
    """Write all studies, as they are at one moment, into the zip TARGET."""
    from umnist_core.labeling.backup import write_backup

    service = open_service()
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = target or Path(f"umnist-backup-{moment}.zip")
    images = None if without_images else service.folder / "studies"
    report = write_backup(service.log, images, path)
    size_mb = path.stat().st_size / 1e6
    studies = count_of(len(report.studies), "study", "studies")
    click.echo(f"{path}: {studies}, {size_mb:.1f} MB")
    ctx.exit(_say_faults(report.studies))


def _say_faults(found: tuple[Verification, ...]) -> int:
    """Say which studies have faults, and return the exit code."""
    faulty = [one for one in found if one.faults]
    for one in faulty:
        click.echo(
            f"{one.study} has {count_of(len(one.faults), 'fault')} and will not be taken back as "
            f"it is; `umnist study verify {one.study}` names them.",
            err=True,
        )
    return 1 if faulty else 0


@click.command("restore", epilog="\b\nExamples:\n  umnist study restore monday.zip")
@click.argument("source", type=GivenPath(dir_okay=False, never_waits=True))
@click.option("--without-images", is_flag=True, help="Answers and truth alone.")
def restore_command(*, source: Path, without_images: bool) -> None:
    """Put all studies of the backup SOURCE into a store that has none of them."""
    from umnist_core.labeling.backup import restore_backup

    service = open_service()
    images = None if without_images else service.folder / "studies"
    for study in restore_backup(source, service.log, images):
        one = service.overview(study)
        click.echo(f"{study}: {one.spec.name}, {one.status}, {one.events} events")
        _say_if_not_whole(service, study)


# -- exports ----------------------------------------------------------------------


@click.command(
    "export",
    epilog="\b\nExamples:\n"
    "  umnist study export Pilot\n"
    "  umnist study export Pilot pilot.zip --with-images\n"
    "  umnist study export Pilot tables --format parquet\n\n"
    "Ends with code 1 when the log has faults; it is exported all the same.",
)
@study_argument
@click.argument("target", required=False, type=GivenPath())
@click.option(
    "--format",
    "kind",
    type=click.Choice(("zip", *TABLE_KINDS)),
    default="zip",
    show_default=True,
    help="One zip with everything, or a folder of tables.",
)
@click.option("--with-images", is_flag=True, help="Put the frozen images into the zip.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.pass_context
def export_command(
    ctx: click.Context,
    *,
    study: str,
    target: Path | None,
    kind: str,
    with_images: bool,
    force: bool,
) -> None:
    """Write a study into the zip TARGET, or its tables into the folder TARGET.

    It holds the truth, of a closed study the key too, and no link and no secret of the server.
    recompute.py in the zip computes every figure anew, without umnist.
    """
    from umnist_core.labeling.export import export_study, export_tables

    service, chosen = choose_study(study)
    if kind != "zip":
        if with_images:
            raise click.UsageError("Tables have no images; leave --with-images out.")
        folder = target or Path(f"umnist-{chosen}")
        for path in export_tables(service, chosen, folder, kind, force=force):
            click.echo(path)
        return
    path = target or Path(f"umnist-{chosen}.zip")
    report = export_study(service, chosen, path, with_images, force=force)
    rows = ", ".join(f"{number} {name}" for name, number in report.rows.items())
    click.echo(f"{path}: {rows}, {path.stat().st_size / 1e6:.1f} MB")
    click.echo(f"Hash of the last event: {report.verification.head_hash}")
    ctx.exit(_say_faults((report.verification,)))


@click.command("import", epilog="\b\nExamples:\n  umnist study import pilot.zip")
@click.argument("source", type=GivenPath(dir_okay=False, never_waits=True))
def import_command(*, source: Path) -> None:
    """Check the exported study SOURCE and put it into the store."""
    from umnist_core.labeling.importing import import_study

    service = open_service()
    study = import_study(service, source)
    one = service.overview(study)
    click.echo(f"{study}: {one.spec.name}, {one.status}, {one.events} events")
    click.echo(f"Hash of the last event: {one.head_hash}")
    _say_if_not_whole(service, study)


def _say_if_not_whole(service: StudyService, study: str) -> None:
    """Say what does not work of a study that came from elsewhere."""
    if not service.study_folder(study).is_dir():
        click.echo(
            f"{study} came without images: results can be seen, and nobody can label.", err=True
        )
    if any(row.token is None and not row.is_revoked for row in service.invites(study)):
        click.echo(
            f"Links of {study} that people have still work here, but cannot be shown again: "
            "another server's secret made them.",
            err=True,
        )


FILE_COMMANDS: tuple[click.Command, ...] = (
    verify_command,
    backup_command,
    restore_command,
    export_command,
    import_command,
    amend_consent_command,
)
