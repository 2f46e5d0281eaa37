"""The deep-zoom viewer and the answers beside it, as Streamlit components.

Their JavaScript is umnist's own, served by our routes under a path that names its
content; Streamlit gets a few lines that import it. Both keep a constant key, so new
data update what is there and never mount it anew.

The address bar belongs to the browser's side: the viewer writes the view, the
overlays and whatever ``data["link"]`` holds into it with ``history.replaceState``,
so panning reruns nothing, and reads view and overlays back when it is mounted.
Streamlit sends the query with which somebody came to the page, by a link or by Back, with
every rerun, so ``st.query_params`` tells where they began and not where they are; once the
server assigns to it, Streamlit goes on sending what was assigned and replaces the address by
it, and the view is lost. Pages with a viewer therefore read ``st.query_params`` where a run
begins (`pages._ui.shared.address`) and never assign to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui.shared.address import come_by_address
from pages._ui.shared.home import base_path
from umnist_core.server.assets import static_version

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_JS = """
export default async (component) => {{
  // This text runs from a blob: address, from which "/..." leads nowhere.
  const url = new URL("{base}/assets/{version}/streamlit.js", location.origin).href;
  return (await import(url)).{function}(component);
}};
"""


def our_component(name: str, function: str) -> ComponentRenderer:
    """Make a component of a function of ``streamlit.js``."""
    return st.components.v2.component(
        name, js=_JS.format(base=base_path(), version=static_version(), function=function)
    )


_viewer = our_component("umnist_viewer", "showViewer")
_answers = our_component("umnist_answers", "showAnswers")


@dataclass(frozen=True)
class ViewerEvents:
    """What someone asked of the page through the viewer, in this run alone."""

    navigate: str | None
    """``"next"``, ``"previous"`` or ``"random"``: another sample; None as a rule."""


def show_viewer(
    data: Mapping[str, Any],
    *,
    key: str,
    on_navigate: Callable[[str], None] | None = None,
) -> ViewerEvents:
    """Show the viewer.

    Parameters
    ----------
    data
        What to show; ``ViewerData`` in ``data.js`` documents every entry.
    key
        Constant name of this viewer on its page.
    on_navigate
        Called with ``ViewerEvents.navigate`` before the rerun, when the session state
        of the page's widgets may still be changed; saves the second rerun that acting
        on the returned events takes.
    """

    def navigate() -> None:
        where = st.session_state[key].get("navigate")
        if where is not None and on_navigate is not None:
            on_navigate(where)

    result = _viewer(
        key=key,
        data=dict(data),
        on_navigate_change=navigate,
        on_returned_change=come_by_address,
    )
    return ViewerEvents(navigate=result.get("navigate"))


def show_answers(data: Mapping[str, Any], *, key: str) -> None:
    """Show the switches for the answer and the shapes, and the list of digits.

    Parameters
    ----------
    data
        What to show; ``AnswersData`` in ``answers.js`` documents every entry. The
        ``bus`` is that of the viewer which a click on a digit moves.
    key
        Constant name of this list on its page.
    """
    _answers(key=key, data=dict(data))
