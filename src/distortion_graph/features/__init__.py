"""What a network sees of regions, counted outside of it."""
