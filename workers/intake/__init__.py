"""From the broker to the pipeline and back: fair reading, reclaimed frames, claims, attempts, results, commits."""
