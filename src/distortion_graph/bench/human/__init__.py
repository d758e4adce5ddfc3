"""Models and metrics beside people's opinion of pictures."""
