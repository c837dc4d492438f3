"""Which pictures each unit of a sentence sees: rows into one array of vectors."""

VERSION = 5
