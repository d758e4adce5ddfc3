"""Conversations about pairs, with answers from the truth, to fine-tune language models on."""
