"""The application: Streamlit's pages and our own routes in one process, on one origin.

``streamlit run app.py``, ``uvicorn app:app`` and ``umnist app`` all start it. `Gate` stands
before everything, Streamlit included; `umnist app --share` makes it ask who comes.
"""

from pathlib import Path

from starlette.middleware import Middleware
from streamlit import App

from umnist_core.server import tile_routes
from umnist_core.server.gate import Gate
from umnist_core.server.inference import inference_routes
from umnist_core.server.labeling import label_routes
from umnist_core.server.login import login_routes
from umnist_core.settings import load_settings

settings = load_settings()

app = App(
    Path(__file__).parent / "pages" / "_ui" / "shell.py",
    routes=[
        *tile_routes(),
        *label_routes(settings=settings),
        *inference_routes(settings=settings),
        *(login_routes(settings) if settings.is_shared else []),
    ],
    middleware=[Middleware(Gate, settings=settings)],
)
