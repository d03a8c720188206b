"""`python -m benchmarks.actions`."""

import os

# Before numpy is imported: the order of sums, and so the last bits of weights, depends on the number of threads and on
# the kernels that are chosen for the processor. All x86 processors with AVX2 can run these.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell"}

from benchmarks.actions.command import main

main()
