"""Pictures before the network: decoding, enhancement, letterbox and tiles, and merging what tiles detect."""
