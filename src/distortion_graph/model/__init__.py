"""The network (torch; installed with the `train` extra)."""
