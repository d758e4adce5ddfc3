"""Many pairs: from two folders or a list to tables, a summary and a page."""
