"""Frames through the engine: the pipeline, batches, watch for hanging frames."""
