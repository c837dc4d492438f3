"""Recognisers: text vectors and pictures in, labels and gates out."""

VERSION = 4  # raised when what a training ends in changes
