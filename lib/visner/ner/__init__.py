"""Recognisers: text vectors and pictures in, labels and gates out."""

VERSION = 3  # raised when what a training ends in changes
