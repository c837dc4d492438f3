"""Scores of a system over its seeds, tests of significance against a baseline, and the page of a study."""

VERSION = 1  # raised when the results of this stage change
