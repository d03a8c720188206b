"""The summary of a run on disk: under a partial name while the run is under way, so that a later run can go on."""

from __future__ import annotations

from pathlib import Path

from recordings.continuing.history import summaries
from recordings.results.claims import taken
from recordings.results.files import partial, writing
from recordings.summary import Summary, write_partial_summary, write_summary


class SummaryBook:
    """Keeps the summary called `name` in `folder` up to date. All methods raise OutputError."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._path = folder / name

    def begin(self, summary: Summary) -> None:
        """Write the first state, and remove the summaries of earlier runs, whose content is in `summary` or obsolete.

        At each instant there is a summary of what is finished.
        """
        self.note(summary)
        others = taken(self.folder) - {self._path.name}
        for path in summaries(self.folder, others):
            if path != partial(self._path):
                with writing(path):
                    path.unlink(missing_ok=True)

    def note(self, summary: Summary) -> None:
        """Write the state so far."""
        write_partial_summary(self._path, summary)

    def finish(self, summary: Summary) -> None:
        """Write the complete summary."""
        write_summary(self._path, summary)
        with writing(self._path):
            partial(self._path).unlink(missing_ok=True)
