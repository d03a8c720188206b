"""Numeric kernels as machine code: the one place that knows how they are compiled and where that is kept.

A tracker's arrays are tiny (six people, seventeen joints), so that numpy's cost of a call, not arithmetic, would make
up nearly all of its time. Kernels are plain loops over arrays, compiled by numba when they are first called (half a
minute for all) and kept on disk from then on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from posebus.arrays import BoolArray
from posebus.config.loading import cache_folder

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
Table = TypeVar("Table", bound=tuple[Any, ...])


def sources_digest(package: Path) -> str:
    """Digest of all Python files in and below the folder `package`.

    Machine code is kept in one folder for each digest. numba itself notices only changes of a kernel's own file, and
    would use machine code with the old constants and kernels of another file.
    """
    sources = sorted(package.rglob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def folder_name(package: Path) -> str:
    """Name of the folder for the machine code of the folder `package`.

    numba uses no machine code of a package at another place, even if its sources are the same.
    """
    place = hashlib.sha256(str(package.resolve()).encode()).hexdigest()[:8]
    return f"{sources_digest(package)}-{place}"


def _cache_dir() -> Path:
    kernels = os.environ.get("NUMBA_CACHE_DIR") or cache_folder(environ=os.environ) / "kernels"
    return Path(kernels) / folder_name(Path(__file__).parent)


CACHE_DIR = _cache_dir()


def is_kept() -> bool:
    """Whether kernels of this installation were compiled before."""
    return any(CACHE_DIR.rglob("*.nbc"))


def plain(table: Table) -> Table:
    """The fields of a named tuple for a kernel, which makes the named tuple of them again: `table = Table(*table)`.

    numba recognizes a plain tuple three times as fast, which saves a microsecond a call.
    """
    return cast(Table, tuple(table))


def compiled(kernel: Kernel) -> Kernel:
    """The same function as machine code. No fast-math: the same input gives the same bits in every process."""
    elsewhere, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(CACHE_DIR)
    try:
        made = numba.njit(cache=True, error_model="numpy")(kernel)
    except RuntimeError:
        # Nowhere to keep it, as in a container without a writable home: then every process compiles for itself.
        made = numba.njit(error_model="numpy")(kernel)
    finally:
        numba.config.CACHE_DIR = elsewhere
    return cast(Kernel, made)


@compiled
def any_of(mask: BoolArray) -> bool:
    """Whether any of a mask (T,) is set; numpy's own `any` takes five times as long for the few tracks of a camera."""
    for value in mask:  # noqa: SIM110 compiled code has no generators
        if value:
            return True
    return False
