"""What a mask is: run lengths, crops, and the set of regions of a picture."""
