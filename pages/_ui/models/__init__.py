"""What Models alone uses."""
