"""The sink `jsonl`: messages as lines of a file, which is rotated."""
