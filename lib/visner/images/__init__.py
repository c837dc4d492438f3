"""Pictures for queries: a source lists a query's candidates, and the first usable ones are kept in one form."""

VERSION = 3  # raised when the kept pictures, which of them are kept, or their counts change
