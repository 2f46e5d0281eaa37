"""A study's settings, which are fixed."""

from __future__ import annotations

import streamlit as st

from pages._ui.shared.scenes import FILTERS
from pages._ui.shared.words import POOL_TITLES, count, plain
from pages._ui.studies.amending import said_asking, show_amending
from pages._ui.studies.promise import show_sealed
from pages._ui.studies.recruiting import recruiting_rows
from pages._ui.studies.words import FEEDBACK_TITLES
from umnist_core.labeling.original import Original
from umnist_core.labeling.records import StudySpec
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.views import Overview


def show_settings(service: StudyService, one: Overview) -> None:
    """Draw the settings."""
    state = service.state(one.study)
    spec = one.spec
    rows = {
        "Id": f"`{one.study}`",
        "Images": _images(spec),
        "Digits": plain(str(state.glyphs.get("name", "unknown"))),
        "Number": f"{count(spec.stimuli, 'image')}, the same for every pool",
        "Each person": f"{count(spec.images_per_annotator, 'image')}"
        + (f", {spec.repeats} of them twice" if spec.repeats else ""),
        "Target": f"{count(spec.target_per_pool, 'label')} from each pool, "
        + (
            f"from {count(spec.labels_per_image, 'person', 'people')}"
            if spec.adaptive
            else f"{spec.labels_per_image} for each image"
        ),
        "Pools": ", ".join(POOL_TITLES[pool] for pool in spec.pools),
        "Practice": _practice(spec),
        "Asked for": ", ".join(_asked(spec)),
        "Last answer": "may be changed; both are kept" if spec.allow_change else "is final",
        "From afar": f"a pixel is the {FILTERS[spec.pyramid_filter]}",
        "Reserved": f"{spec.lease_minutes / 60:g} hours",
        "Versions": ", ".join(f"{name} {value}" for name, value in state.versions.items()),
    }
    rows |= _only_of_some(spec)
    rows |= recruiting_rows(spec.recruiting)
    st.markdown("| | |\n|:--|:--|\n" + "\n".join(f"| {n} | {v} |" for n, v in rows.items()))
    with st.expander("Texts that people read"):
        for title, text in (
            ("Consent", spec.consent_text),
            *((f"Instructions, {pool}", spec.instructions_text(pool)) for pool in spec.pools),
        ):
            st.markdown(f"**{title}**")
            st.text(text)
    if not spec.is_self:
        show_amending(service, one)
    if spec.preregistration:
        show_sealed(service, one)


def _only_of_some(spec: StudySpec) -> dict[str, str]:
    """Return what is said of studies that have it alone."""
    rows = {}
    if not spec.has_truth:
        rows["Truth"] = "none: what people say becomes the labels, and nothing is measured by it"
    if spec.asking:
        rows["Asked besides"] = said_asking(spec.asking)
    if spec.factors:
        crossed = "; ".join(f"{name} {', '.join(one)}" for name, one in spec.factors.items())
        each = spec.images_per_annotator // len(spec.cells)
        rows["Factors"] = (
            f"{plain(crossed)}: {len(spec.cells)} cells, {count(each, 'image')} of each for "
            "every person"
        )
    if spec.adaptive is not None:
        sentence = spec.adaptive.sentence
        rows["Sizes of digits"] = f"follow from each person's answers: {sentence}"
    if spec.exclusions is not None:
        rows["Exclusions"] = "fixed: " + " ".join(spec.exclusions.sentences)
    if spec.is_self:
        rows["Self"] = "a study of oneself; the sum is told " + (
            "after each answer" if spec.trial_feedback else "at the end"
        )
    if spec.replicates is not None:
        original = Original.from_dict(spec.replicates)
        rows["Replicates"] = (
            f"{plain(original.name)} (`{original.study}`), within {100 * original.bounds:g} points"
        )
    return rows


def _images(spec: StudySpec) -> str:
    if spec.folder is not None:
        return f"of the folder {plain(spec.folder)}"
    changes = "".join(f" {name}={value}" for name, value in spec.overrides.items())
    seed = "" if spec.seed is None else f", seed {spec.seed}"
    return f"preset {spec.preset}{seed}" + (f", `{changes.strip()}`" if changes else "")


def _practice(spec: StudySpec) -> str:
    if not spec.practice:
        return "none"
    told = [f"{pool}: {FEEDBACK_TITLES[spec.practice_feedback[pool]]}" for pool in spec.pools]
    return f"{count(spec.practice, 'image')}. Told afterwards, {'; '.join(told)}"


def _asked(spec: StudySpec) -> list[str]:
    asked = ["the sum"]
    asked += ["confidence"] if spec.ask_confidence else []
    asked += ["the digits seen"] if spec.ask_digits else []
    asked += ["a box around each digit"] if spec.ask_boxes else []
    return asked
