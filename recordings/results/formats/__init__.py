"""The formats of the tracks of a recording: a table with one row for each, and their writers."""
