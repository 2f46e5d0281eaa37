"""What Explore alone uses."""
