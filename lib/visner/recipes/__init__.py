"""The recipes of the configuration: one model a kind, each key with its default.

A recipe's `fingerprint` is the JSON that the rules hand to the stages: the keys that change results, no others. Its
`files` are those that it names itself, for the rules to watch.
"""

from visner.recipes.base import Name, NewFolder, PositiveInt, Recipe, below, is_path
from visner.recipes.corpora import (
    ConllCorpus,
    Corpus,
    CorpusRecipe,
    Download,
    EneCorpus,
    ImgidCorpus,
    Nouns,
    StockmarkCorpus,
    TextCorpus,
)
from visner.recipes.experiments import (
    BertExperiment,
    BiLSTMExperiment,
    Experiment,
    ExperimentRecipe,
    FineTuning,
    Gallery,
    Study,
    Training,
)
from visner.recipes.groundings import AttachmentGrounding, Grounding, QueryGrounding, VokenGrounding
from visner.recipes.pictures import (
    AttachedImages,
    Crawl,
    CrawledImages,
    CustomImages,
    Embedding,
    EngineImages,
    FolderImages,
    Images,
    LocalImages,
)
from visner.recipes.vectors import Flair, Glove, Vectors
from visner.recipes.vokens import Matcher

__all__ = [
    "AttachedImages",
    "AttachmentGrounding",
    "BertExperiment",
    "BiLSTMExperiment",
    "ConllCorpus",
    "Corpus",
    "CorpusRecipe",
    "Crawl",
    "CrawledImages",
    "CustomImages",
    "Download",
    "Embedding",
    "EneCorpus",
    "EngineImages",
    "Experiment",
    "ExperimentRecipe",
    "FineTuning",
    "Flair",
    "FolderImages",
    "Gallery",
    "Glove",
    "Grounding",
    "Images",
    "LocalImages",
    "Matcher",
    "ImgidCorpus",
    "Name",
    "NewFolder",
    "Nouns",
    "PositiveInt",
    "QueryGrounding",
    "Recipe",
    "StockmarkCorpus",
    "Study",
    "TextCorpus",
    "Training",
    "Vectors",
    "VokenGrounding",
    "below",
    "is_path",
]
