"""Studies: what is recorded, decided and kept."""
