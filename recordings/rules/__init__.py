"""Rules over recordings: what they would have fired, from saved tracks, with a picture of each event."""
