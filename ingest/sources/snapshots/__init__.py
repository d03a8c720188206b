"""Cameras that send one picture for each request: asking for it over HTTP, and asking again at a rate."""
