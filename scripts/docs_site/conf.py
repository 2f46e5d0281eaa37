"""How Sphinx makes the site of ``docs/``: ``scripts/docs`` all of it, the build hook the pages.

With the tag ``full`` it has the command line from its help, the API from the docstrings and the
notebooks with their pictures, for which umnist and all that it needs must be installed. Without it
Sphinx needs no more than this folder and ``docs/``: that is what a wheel and a clone have.
"""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

if TYPE_CHECKING:
    tags: Any = None  # Sphinx puts it here

FULL = tags.has("full")
NOTEBOOKS = FULL and bool(list((ROOT / "docs" / "notebooks").glob("*.ipynb")))

project = "umnist"
author = "The umnist maintainers"
project_copyright = author
_VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "umnist_core" / "__init__.py").read_text())
release = version = _VERSION[1] if _VERSION else ""

extensions = ["site_parts", "myst_nb" if FULL else "myst_parser"]
if FULL:
    extensions += ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "site_reference"]
exclude_patterns = [] if FULL else ["notebooks", "reference"]
exclude_patterns += ["**/.ipynb_checkpoints"]
site_lacks = tuple(
    name
    for name, is_there in {
        "reference/": FULL,
        "notebooks/": NOTEBOOKS,
        "notebook\n": (ROOT / "docs" / "notebook.md").is_file(),
    }.items()
    if not is_there
)

# -- text -------------------------------------------------------------------------

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
myst_fence_as_directive = ["mermaid"]
highlight_language = "none"
nitpicky = True
# Types are named as code has them, and packages of others are documented elsewhere; what text
# refers to has to be there.
nitpick_ignore_regex = [(r"py:.*", r".*")]

# -- notebooks --------------------------------------------------------------------

nb_execution_mode = "cache"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
# A widget needs its kernel, and what stands in for it comes from elsewhere: its picture shows.
nb_ipywidgets_js: dict[str, Any] = {}
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

# -- docstrings -------------------------------------------------------------------

# What widgets are made of is in an extra of its own.
autodoc_mock_imports = [name for name in ("anywidget", "traitlets") if find_spec(name) is None]
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_custom_sections = [("Attributes", "params_style")]  # "rows, cols" are two of one text
default_role = "py:obj"  # names in docstrings lead to what they name, where it is here
python_use_unqualified_type_names = True

# -- the site ---------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "umnist"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_last_updated_fmt = None
html_theme_options = {
    "logo": {"text": "umnist"},
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_center": [],
    "footer_end": [],
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"**": ["globaltoc.html"]}
html_context = {"default_mode": "auto"}
