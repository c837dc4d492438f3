"""Labels a unit (BIO) and spans: converting one into the other, in both readings of BIO."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

MIX = "MIX"  # a span of two or more classes: tagged, printed, and never part of a micro score


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


def bioes_to_bio(labels: Sequence[str]) -> list[str]:
    """BIOES labels as BIO: S- opens (B-), E- continues (I-)."""
    prefixes = {"S": "B", "E": "I"}
    return [prefixes.get(label[0], label[0]) + label[1:] if label != "O" else label for label in labels]


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
