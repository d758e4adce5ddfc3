"""Other ways to write a distortion graph."""
