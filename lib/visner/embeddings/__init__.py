"""Picture vectors: each distinct picture goes through a torchvision backbone once, and its vector into a store."""

VERSION = 2  # raised when the vectors of the same pictures, weights and recipe change
