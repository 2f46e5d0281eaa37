"""Where the app lies, for addresses that a page writes itself."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from umnist_core.settings import load_settings


def base_path() -> str:
    """Return what stands before each of the app's own paths: ``/umnist``, or nothing."""
    return f"/{str(st.get_option('server.baseUrlPath')).strip('/')}".rstrip("/")


def public_link(path: str) -> str:
    """Return the whole address of a path of the app, for people elsewhere.

    By the address that was set, or as this browser reaches the app.
    """
    address = load_settings().public_address
    return address.to(path) if address else f"{origin_of(st.context.url)}{base_path()}{path}"


def origin_of(url: str | None) -> str:
    """Return scheme and host of the page that the browser shows; empty if it is not known."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
