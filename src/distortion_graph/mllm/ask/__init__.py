"""Prompts with pictures and cues, and replies that become graphs."""
