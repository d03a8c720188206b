"""The people of a recording: when each was seen, how far they walked, and the moment that shows them best."""
