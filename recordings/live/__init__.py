"""Cameras followed live: their rates and ages, and the demo."""
