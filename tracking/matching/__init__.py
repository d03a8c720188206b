"""Which detection is which track: likelihood ratios and one assignment."""
