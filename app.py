"""The application: Streamlit's pages and our tile routes in one process, on one origin.

``streamlit run app.py``, ``uvicorn app:app`` and ``umnist app`` all start it.
"""

from pathlib import Path

from streamlit import App

from umnist_core.server import tile_routes

app = App(Path(__file__).parent / "pages" / "_ui" / "shell.py", routes=tile_routes())
