"""The scenes of the benchmark, one module for each kind of trouble."""
