"""Ingest: any source of pictures becomes a stream of timestamped frames. One camera never touches another."""
