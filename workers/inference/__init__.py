"""From jobs to detections: decoding threads, batches for the engine, and the watch over frames that hang."""
