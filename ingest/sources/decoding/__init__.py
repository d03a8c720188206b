"""Turn packets into pictures: decoders, planes, reduced sizes, and frames that the decoder skips."""
