"""visner: words grounded in pictures, for named entity recognition.

One package a stage of the pipeline (corpora, nouns, images, embeddings, vectors, grounding, ner, evaluation), a
few small modules below all of them (config, tables, spans, device, stages, training), and on top `cli` and `tagger`.
"""

__version__ = "0.1.0"


def load(folder, **options):
    """A trained experiment (`results/{experiment}`) that tags new text; see `visner.tagger.Tagger`."""
    from visner.tagger import Tagger  # torch takes seconds to import: not before it is needed

    return Tagger(folder, **options)
