"""Tracks as tables: the columns that files of results have, and reading such files into arrays."""
