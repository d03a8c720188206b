"""A template for plug-ins of posebus: one source, one engine, one sink and one rule, each in a file of its own."""
