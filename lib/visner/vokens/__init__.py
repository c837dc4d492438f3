"""Vokens: pictures that a word is found by maximum inner product search (vokenized NER, section 3)."""

VERSION = 4  # raised when the vokens of the same words and pictures change
