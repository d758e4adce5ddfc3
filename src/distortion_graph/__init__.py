"""Distortion graphs: what is wrong in each region of two pictures, how bad, and which is better."""
