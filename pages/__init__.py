"""The app's pages: read widgets, call one service, draw."""
