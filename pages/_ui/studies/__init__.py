"""What Studies alone uses."""
