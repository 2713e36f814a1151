"""The error of every file that is not what it should be."""

__all__ = ["FileFormatError"]


class FileFormatError(ValueError):
    """A file is damaged, of another kind, or does not fit; the message names file and node."""
