"""What is measured between two pictures, per region: quality, evidence, differences."""
