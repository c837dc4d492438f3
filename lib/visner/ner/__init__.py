"""Recognisers: text vectors and pictures in, labels and gates out."""

VERSION = 1
