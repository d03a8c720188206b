"""What the wall shows as it happens: pictures joined with the tracks of the same frame, for all who watch."""
