"""A simulated day in a corridor, made from a real clip."""
