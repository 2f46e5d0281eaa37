"""``umnist study amend-consent``: another consent for a study that is under way."""

from __future__ import annotations

from pathlib import Path

import click

from umnist_core.cli._study_choice import choose_study, study_argument
from umnist_core.cli._study_spec import read_text
from umnist_core.cli._types import GivenPath


@click.command(
    "amend-consent",
    epilog="\b\nExamples:\n"
    "  umnist study amend-consent Pilot --consent consent-2.txt\n"
    '  umnist study amend-consent Pilot --retention "five years"\n',
)
@study_argument
@click.option("--consent", type=GivenPath(), help="Text file.")
@click.option("--contact", help="Who answers questions.")
@click.option("--duration", help="How long taking part takes.")
@click.option("--retention", help="How long data are kept.")
@click.option("--withdrawal", help="How to withdraw.")
@click.option("--approval", help="Number of the ethics approval.")
@click.option("--institution", help="Which stands for the study.")
@click.option("--responsible", help="Who is responsible for it.")
def amend_consent_command(study: str, consent: Path | None, **lines: str | None) -> None:
    """Change what people of a study agree to.

    Everybody at work is asked again before their next image. Every text is kept, with who agreed
    to which.
    """
    texts = {name: text for name, text in lines.items() if text is not None}
    if consent is not None:
        texts["consent"] = read_text(consent)
    if not texts:
        raise click.UsageError("Nothing is changed; give --consent or another of the texts.")
    service, chosen = choose_study(study)
    before = service.state(chosen).consents[-1].version
    version = service.amend_consent(chosen, texts)
    if version == before:
        click.echo(f"{chosen}: the consent reads so already; it stays version {version}.")
    else:
        click.echo(f"{chosen}: consent {version}; people are asked before their next image.")
