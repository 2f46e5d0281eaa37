"""Inference: watch a model look."""

import secrets

import streamlit as st

from pages._ui.inference.breaking import ASKED, show_breaking
from pages._ui.inference.choice import (
    choice_link,
    current_choice,
    find_hints,
    list_checkpoints,
    list_devices,
    load_cards,
    refusal,
    start_model,
    take_choice,
)
from pages._ui.inference.fool import NO_NOISE, list_variations, show_fool
from pages._ui.inference.gallery import show_gallery, show_sums
from pages._ui.inference.image import BUS, Picture, choose_picture, step_picture
from pages._ui.inference.watch import show_watch
from pages._ui.shared.address import LED_BY_ADDRESS, keep_shown
from pages._ui.shared.notices import show_digits_notice
from pages._ui.shared.panes import answers_data
from pages._ui.shared.viewer import show_answers, show_viewer
from umnist_core.errors import UmnistError

st.session_state.setdefault("inference_viewer_id", secrets.token_hex(8))

with st.container(key="watch"):
    stage = st.container(key="watch_stage")
    panel = st.container(key="watch_panel")

with panel:
    show_digits_notice()
    names = ["Model", "Image and noise", "Break it", "Answer", "Examples"]
    # A link to a curve opens it; another first tab later on would take people from theirs.
    asked = "Break it" if ASKED in st.query_params else "Model"
    first = st.session_state.setdefault("inference_tab", asked)
    model_tab, image_tab, break_tab, truth_tab, gallery_tab = st.tabs(names, default=first)

with image_tab:
    chosen: Picture | None = None
    problem = ""
    try:
        chosen = choose_picture()
    except UmnistError as error:
        problem = str(error)
    picture = keep_shown("inference_shown", chosen)

cards = load_cards()
sentence = refusal(cards)
devices = list_devices()
preset, kind = (picture.preset, picture.kind) if picture else (None, "")
choice = current_choice(cards, devices, bool(picture and picture.people), preset, kind)

if not sentence:
    start_model(choice)

with stage:
    if picture is None:
        told = st.error if problem else st.info
        told(problem or "Choose an image under “Image and noise”.")
    else:
        link = picture.viewer["link"]
        viewer = picture.viewer | {"link": link and {**link, **choice_link(choice, devices)}}
        viewer["status"] = problem or None
        show_viewer(viewer, key="inference_viewer", on_navigate=step_picture)

with model_tab:
    show_watch(
        {
            "bus": BUS,
            "viewer": st.session_state["inference_viewer_id"],
            "checkpoints": list_checkpoints(cards),
            "devices": devices,
            "hints": find_hints(cards, preset, kind),
            "image": picture and picture.pane,
            "second": picture and picture.second,
            "truth": picture.truth if picture else {},
            "called": picture.called if picture else {},
            "choice": choice,
            "people": picture and picture.people,
            "sentence": sentence,
            # A link to a prediction predicts.
            "isAsked": (st.session_state.get(LED_BY_ADDRESS, False) and "model" in st.query_params)
            or bool(picture and picture.second),
            "look": {"a": st.query_params.get("look", ""), "b": st.query_params.get("look.b", "")},
        },
        key="inference_watch",
        on_choice=take_choice,
    )

with break_tab:
    show_breaking(picture, cards, choice, sentence)
    varies = list_variations(None if kind else preset)
    show_fool(
        {
            "bus": BUS,
            "viewer": st.session_state["inference_viewer_id"],
            "checkpoint": choice["checkpoint"],
            "device": choice["device"],
            "image": picture and picture.pane,
            "sentence": sentence or (None if varies else NO_NOISE),
            "varies": varies,
        },
        key="inference_fool",
    )

with truth_tab:
    if picture is None or picture.viewer.get("label") is None:
        st.caption("Nothing is known of what is in this image.")
    else:
        show_answers(answers_data(picture.viewer), key="inference_answers")

with gallery_tab:
    asking = {
        "bus": BUS,
        "viewer": st.session_state["inference_viewer_id"],
        "checkpoint": choice["checkpoint"],
        "device": choice["device"],
        "image": picture and picture.pane,
        "sentence": sentence,
    }
    show_sums(asking, None if kind else preset, key="inference_sums")
    show_gallery(cards, key="inference_gallery")
