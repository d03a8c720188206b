"""Code that several benchmarks share: clips with cached poses, MOTChallenge files, metrics, paths and options.

Folders import downwards only: `common`, then `scenes`, then `broker`, `corridor`, `live`, `throughput`, `accuracy` and
`tracking`, then `economy`, `faults` and `gpu`.
"""
