"""Going on with a run: what a folder of results holds already by its summaries, and what is left to do."""
