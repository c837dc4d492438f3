"""Scores of a system over its seeds, tests of significance against a baseline, a study's page and gallery."""

VERSION = 3  # raised when the results of this stage change
