"""Labels a unit and spans: the schemes that files have, BIO in both of its readings, and spans as labels and back."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

MIX = "MIX"  # a span of two or more classes: tagged, printed, and never part of a micro score
SCHEMES = {"BIO": "BI", "IOB1": "BI", "BIOES": "BIES", "BILOU": "BILU"}  # and the prefixes of each


class Span(NamedTuple):
    """A mention: units `start` to `stop` (exclusive) carry the class `label`."""

    start: int
    stop: int
    label: str


def spans_to_bio(spans: Iterable[Span], length: int) -> list[str]:
    """BIO labels of `length` units. Raises ValueError where spans overlap, are empty or leave the sentence."""
    labels = ["O"] * length
    for start, stop, label in sorted(spans):
        if not 0 <= start < stop <= length:
            raise ValueError(f"the span {start}:{stop} ({label}) is empty or leaves the {length} units")
        if any(unit != "O" for unit in labels[start:stop]):
            raise ValueError(f"the span {start}:{stop} ({label}) overlaps another")
        labels[start:stop] = [f"B-{label}"] + [f"I-{label}"] * (stop - start - 1)
    return labels


def bio_to_spans(labels: Sequence[str], lenient: bool = False) -> list[Span]:
    """The spans of a sentence's BIO labels, in order.

    Strict (IOB2, the default): an I- that doesn't continue a span of its class is outside, with all that follows
    it. Lenient: such an I- opens a span, as in the CoNLL-2000 script `conlleval`.
    """
    spans = []
    start, current = 0, None
    for position, label in enumerate([*labels, "O"]):
        prefix, _, name = label.partition("-")
        if prefix == "I" and name == current:
            continue
        if current is not None:
            spans.append(Span(start, position, current))
        opens = prefix == "B" or (lenient and prefix == "I")
        start, current = position, name if opens else None
    return spans


def to_bio(labels: Sequence[str], scheme: str) -> list[str]:
    """The labels of a scheme as BIO.

    Labels of BIO stay as they are, orphaned I- too. In the other schemes no mention is lost where labels break the
    scheme: what continues nothing opens a mention, and what isn't closed ends where the next begins. So do conlleval
    and seqeval (without `mode="strict"`) read them.
    """
    if scheme == "BIO":
        return list(labels)
    bio, before = [], "O"
    for label in labels:
        if label == "O" or not _continues(label, before):
            bio.append(label if label == "O" else f"B-{label[2:]}")
        else:
            bio.append(f"I-{label[2:]}")
        before = label
    return bio


def breaches(labels: Sequence[str], scheme: str) -> Iterator[int]:
    """The positions of labels that a scheme doesn't allow where they stand, or at all.

    BIO: an I- that continues nothing. IOB1: a B- that separates nothing. BIOES and BILOU: what continues nothing, and
    the last label of a mention that isn't closed.
    """
    prefixes, closed = SCHEMES[scheme], len(SCHEMES[scheme]) == 4
    for position, label in enumerate(labels):
        if label == "O":
            continue
        before = labels[position - 1] if position else "O"
        after = labels[position + 1] if position + 1 < len(labels) else "O"
        if scheme == "IOB1":
            wrong = label[0] == "B" and before not in (f"B-{label[2:]}", f"I-{label[2:]}")
        else:
            wrong = label[0] in "IEL" and not _continues(label, before)
            wrong = wrong or (closed and label[0] in "BI" and not _continues(after, label))
        if wrong or label[0] not in prefixes:
            yield position


def _continues(label: str, before: str) -> bool:
    """Whether a label continues the mention that the label before it is in."""
    return label[0] in "IEL" and before[0] in "BI" and before[2:] == label[2:]


def micro_f1(
    gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]], ignore: frozenset[str] = frozenset({MIX})
) -> float:
    """Exact-match F1 (0 to 1, strict) over sentences of BIO labels, without the classes in `ignore`."""
    correct = gold_count = predicted_count = 0
    for gold_labels, predicted_labels in zip(gold, predicted, strict=True):
        one = {span for span in bio_to_spans(gold_labels) if span.label not in ignore}
        other = {span for span in bio_to_spans(predicted_labels) if span.label not in ignore}
        correct += len(one & other)
        gold_count += len(one)
        predicted_count += len(other)
    return 2 * correct / (gold_count + predicted_count) if correct else 0.0
