"""What Results alone uses."""
