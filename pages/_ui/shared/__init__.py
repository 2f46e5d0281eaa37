"""What several pages use; knows no page."""
