"""The stage `corpora`: annotated text on disk becomes one table of sentences with labels and splits.

Each format has a reader of its own (`ene`, `stockmark`, `conll`, `imgid`, `text`) that yields documents; what follows
is the same for all: corrections, cutting, splits, statistics.
"""

from visner.corpora.inputs import files, refuse_other_variant

__all__ = ["VERSION", "files", "refuse_other_variant"]

VERSION = 3  # raised when the results of this stage change
