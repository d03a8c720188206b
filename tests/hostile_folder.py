"""A folder of a user whose own scripts have the names of our packages and of modules that they import."""

from __future__ import annotations

from pathlib import Path

NAMES = (
    *("posebus", "ingest", "workers", "tracking", "recordings"),
    *("redis", "numpy", "pydantic", "typer", "cv2", "av", "torch", "numba", "yaml"),
    # `python -m` itself imports some modules of the standard library, and these are none of them.
    *("grp", "json", "logging", "tempfile", "random", "subprocess", "multiprocessing"),
)
EXIT_CODE = 9


def fill(folder: Path) -> Path:
    """Write the scripts. One that is imported adds its name to the file that is returned, and ends the process."""
    imported = folder / "imported.txt"
    for name in NAMES:
        note = f"with open({str(imported)!r}, 'a') as file:\n    file.write({name!r} + ' ')\n"
        (folder / f"{name}.py").write_text(f"{note}raise SystemExit({EXIT_CODE})\n")
    return imported
