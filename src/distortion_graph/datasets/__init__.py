"""Clean pictures, keys, synthesis, and pairs with their true graphs."""
