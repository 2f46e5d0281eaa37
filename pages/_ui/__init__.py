"""A room for each page, and `shared` for what several of them use."""
