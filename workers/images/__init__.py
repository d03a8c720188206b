"""Pictures on their way into the network: decoding, enhancement, letterbox, tiles."""
