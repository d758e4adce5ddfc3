"""Work shared among threads and processes within one budget, and what a run has finished."""
