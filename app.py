"""The application: Streamlit's pages and our own routes in one process, on one origin.

``streamlit run app.py``, ``uvicorn app:app`` and ``umnist app`` all start it. `Front` undoes what
proxies did, and `Gate` stands before everything, Streamlit included; `umnist app --share` makes
it ask who comes.
"""

from pathlib import Path

from starlette.middleware import Middleware
from streamlit import App, config

from pages._ui.shared.home import base_path
from pages._ui.shared.incidents import show_incident
from umnist_core.server import tile_routes
from umnist_core.server.downloads import download_routes
from umnist_core.server.drops import drop_routes
from umnist_core.server.folder_images import folder_routes
from umnist_core.server.front import Front, under
from umnist_core.server.gate import Gate
from umnist_core.server.inference import inference_routes
from umnist_core.server.labeling import label_routes
from umnist_core.server.labeling.ending import stores_closed_at_end
from umnist_core.server.login import login_routes
from umnist_core.server.manual import manual_routes
from umnist_core.server.web.connections import bound_connections
from umnist_core.server.weights import weights_routes
from umnist_core.settings import load_settings

settings = load_settings()
bound_connections(settings)
if settings.public_address is not None:  # one setting, whoever starts the server
    config.set_option("server.baseUrlPath", settings.public_address.path.strip("/"))

routes = [
    *tile_routes(),
    *label_routes(settings=settings),
    *inference_routes(settings=settings),
    *download_routes(),
    *weights_routes(),
    *drop_routes(settings),
    *folder_routes(),
    *manual_routes(),
    *(login_routes(settings) if settings.is_shared else []),
]

app = App(
    Path(__file__).parent / "pages" / "_ui" / "shell.py",
    routes=under(base_path(), routes),
    middleware=[
        Middleware(Front, settings=settings, base_path=base_path()),
        Middleware(Gate, settings=settings),
    ],
    on_script_error=show_incident,
    lifespan=stores_closed_at_end,
)
