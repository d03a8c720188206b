"""Ingest turns any source of pictures into a stream of timestamped frames. No camera affects another one."""
