"""A simulated day in a corridor, made of a real clip."""
