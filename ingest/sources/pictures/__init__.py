"""Picture files: their kind by their first bytes, their pictures upright and in order, and those of a folder."""
