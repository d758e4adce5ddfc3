"""Files and arrays to (H, W, 3) uint8 sRGB pictures, and how their names are compared."""
