"""Words, nouns and queries: MeCab cuts each sentence into words, and every noun asks for pictures of itself."""

VERSION = 1  # raised when the results change
