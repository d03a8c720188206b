"""Recordings and the demo through a whole deployment: start the stages, collect their tracks, write the files."""
