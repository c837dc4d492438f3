"""The text side of x_t: GloVe vectors of characters and words, and Flair vectors of every word occurrence."""

VERSION = 1  # raised when the results of this stage change
TRAINING_VERSION = 3  # raised when those of its trainings alone do
