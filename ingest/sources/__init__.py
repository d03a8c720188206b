"""Where pictures come from: files, folders, addresses, USB and synthetic cameras, and kinds that other packages add."""

from ingest.sources.base import Admit, CapturedImage, Seekable, Source, SourcePosition, SourceSpec
from ingest.sources.decoding.pixels import BgrImage, Image, RowsImage
from ingest.sources.decoding.reducing import reduced_size_px
from ingest.sources.images import read_picture
from ingest.sources.registry import check_source, is_live, open_source, source_kind, source_spec

__all__ = [
    "Admit",
    "BgrImage",
    "CapturedImage",
    "Image",
    "RowsImage",
    "Seekable",
    "Source",
    "SourcePosition",
    "SourceSpec",
    "check_source",
    "is_live",
    "open_source",
    "read_picture",
    "reduced_size_px",
    "source_kind",
    "source_spec",
]
