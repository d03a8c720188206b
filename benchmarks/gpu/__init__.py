"""The bare engine, the pipeline and ultralytics' `model.track` on an NVIDIA GPU."""
