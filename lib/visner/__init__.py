"""visner: words grounded in pictures, for named entity recognition.

What a program needs stands here, and is imported when it is first used (torch takes seconds to import); docs/library.md
shows how. Below lies one package a stage of the pipeline, what all of them share in runtime/.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what tools that read types see
    from visner.corpora.read import read_corpus as read_corpus
    from visner.evaluation.scoring import score as score
    from visner.ner.bert_crf import BertBatch as BertBatch
    from visner.ner.bert_crf import BertCRF as BertCRF
    from visner.ner.bert_crf import BertCRFConfig as BertCRFConfig
    from visner.ner.bilstm_crf import BiLSTMBatch as BiLSTMBatch
    from visner.ner.bilstm_crf import BiLSTMCRF as BiLSTMCRF
    from visner.ner.bilstm_crf import BiLSTMCRFConfig as BiLSTMCRFConfig
    from visner.ner.crf import CRF as CRF
    from visner.ner.fusion import Fused as Fused
    from visner.ner.fusion import Fusion as Fusion
    from visner.ner.fusion import Pictures as Pictures
    from visner.ner.fusion.attention import Attention as Attention
    from visner.ner.fusion.blend import Blend as Blend
    from visner.ner.fusion.gate import Gate as Gate
    from visner.ner.fusion.simple import Simple as Simple
    from visner.tagging.tagger import load as load

__version__ = "0.1.0"

_PLACES = {
    "BertBatch": "ner.bert_crf",
    "BertCRF": "ner.bert_crf",
    "BertCRFConfig": "ner.bert_crf",
    "BiLSTMBatch": "ner.bilstm_crf",
    "BiLSTMCRF": "ner.bilstm_crf",
    "BiLSTMCRFConfig": "ner.bilstm_crf",
    "CRF": "ner.crf",
    "Fused": "ner.fusion",
    "Fusion": "ner.fusion",
    "Pictures": "ner.fusion",
    "Attention": "ner.fusion.attention",
    "Blend": "ner.fusion.blend",
    "Gate": "ner.fusion.gate",
    "Simple": "ner.fusion.simple",
    "load": "tagging.tagger",
    "read_corpus": "corpora.read",
    "score": "evaluation.scoring",
}
__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'visner' has no attribute {name!r}")
    return getattr(import_module(f"visner.{_PLACES[name]}"), name)
