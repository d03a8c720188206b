"""Made-up scenes of walking people whose truth is known."""
