"""Building an 8-bit engine: quantisation, comparison with fp32, report."""
