"""Training and export (torch; installed with the `train` extra)."""
