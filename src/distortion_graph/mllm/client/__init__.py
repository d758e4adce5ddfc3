"""Requests to a model and its replies: endpoints, local models, cache, budget."""
