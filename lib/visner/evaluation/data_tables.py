"""The tables that say what a study was made on: its corpus, its pictures, its vokens."""

from visner.evaluation.mentions import SPLITS
from visner.evaluation.report import Table
from visner.runtime.spans import MIX


def noun_corpus_tables(corpus: dict, nouns: dict) -> list[Table]:
    """The size of a corpus whose nouns were counted, types and mentions a class, mentions a split."""
    size = {"words": nouns["words"], "lexicon": nouns["lexicon"]}
    size |= {"documents": corpus["documents"], "sentences": corpus["sentences"]}
    counted = {**corpus["classes"], MIX: corpus["mix"]}
    classes = [{"class": name, **{key: one[key] for key in ("types", "mentions")}} for name, one in counted.items()]
    splits = [{"class": name, **{split: one[split] for split in SPLITS}} for name, one in counted.items()]
    return [
        Table(
            "data",
            "The corpus",
            [("", "what"), "number"],
            [{"what": what, "number": number} for what, number in size.items()],
        ),
        Table("classes", "Types and mentions of each class", ["class", "types", "mentions"], classes),
        Table("splits", "Mentions of each class in each split", ["class", *SPLITS], splits),
    ]


def token_corpus_table(corpus: dict, published: dict[str, int]) -> Table:
    """Sentences, tokens and mentions of each class in each split; `published` are a paper's counts of sentences."""
    splits = corpus["splits"]
    rows = [_row("sentences", {split: splits[split]["sentences"] for split in SPLITS})]
    if published:
        rows.append(_row("sentences, published", published))
    rows.append(_row("tokens", {split: splits[split]["units"] for split in SPLITS}))
    rows.append(_row("mentions", {split: splits[split]["mentions"] for split in SPLITS}))
    rows += [_row(f"mentions of {name}", one) | {"types": one["types"]} for name, one in corpus["classes"].items()]
    if corpus["mix"]["mentions"]:
        rows.append(_row(f"mentions of {MIX}", corpus["mix"]) | {"types": corpus["mix"]["types"]})
    rows.append(_row("I- that continue nothing", {split: splits[split]["orphans"] for split in SPLITS}))
    notes = ["Mentions as IOB2 has them (strict); an I- that continues nothing begins one in the lenient reading only."]
    if published:
        differing = [split for split, count in published.items() if splits[split]["sentences"] != count]
        notes.append(
            f"**The sentences differ from the published counts in {', '.join(differing)}.**"
            if differing
            else "The sentences agree with the published counts, which have no mentions."
        )
    if corpus.get("files_sha256"):
        files = ", ".join(f"`{one['file']}` `{one['sha256']}`" for one in corpus["files_sha256"])
        notes.append(f"Variants with other labels circulate; these are the files with the sha256 {files}.")
    return Table("data", "The corpus", [("", "what"), "types", *SPLITS, "all"], rows, notes)


def _row(what: str, counts: dict[str, int]) -> dict:
    row = {"what": what, "types": None, **{split: counts.get(split) for split in SPLITS}}
    return row | {"all": sum(row[split] for split in SPLITS) if None not in [row[split] for split in SPLITS] else None}


def pictures_table(coverage: dict[str, dict]) -> Table:
    """How much of the corpus each source of pictures covers, from the statistics of the stage images."""
    rows, notes = [], ["A source is asked for the nouns of a text, or for the pictures that came with its sentences."]
    for source, one in coverage.items():
        reasons = {reason: found["pictures"] for reason, found in one["rejected"].items()}
        counts = {key: one[key] for key in ("queries", "queries_covered", "distinct_pictures")}
        share = 100 * one["occurrences_covered"] / one["occurrences"] if one["occurrences"] else 0.0
        rows.append({"source": source, **counts, "occurrences_covered": share, "rejected": sum(reasons.values())})
        if reasons:
            listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
            notes.append(f"Rejected of `{source}`: {listed}. All are in rejected.tsv, beside its statistics.json.")
        if one["shared"]:
            most = max(shared["queries"] for shared in one["shared"])
            notes.append(
                f"{len(one['shared']):,} pictures of `{source}` are given for very many each (at most {most:,}). "
                "A flag or a drawing may be; so are placeholders of lost pictures. Its statistics.json lists them "
                "(`shared`)."
            )
    columns = [
        "source",
        ("asked for", "queries"),
        ("with pictures", "queries_covered"),
        ("% of occurrences with pictures", "occurrences_covered"),
        ("pictures", "distinct_pictures"),
        "rejected",
    ]
    return Table("pictures", "Pictures of each source", columns, rows, notes)


def voken_tables(scores: dict[str, dict]) -> list[Table]:
    """Recall of each matcher, diversity of its vokens, and overlap of the splits' pictures; `scores` by matcher."""
    return [_recall_table(scores), _diversity_table(scores), _overlap_table(scores)]


def _recall_table(scores: dict[str, dict]) -> Table:
    rows = []
    for matcher, one in scores.items():
        found = one["recall"]
        row = {"matcher": matcher, **{key: found[key] for key in ("words", "candidates")}}
        for cut, share in found["at"].items():
            row |= {f"recall_{cut}": share, f"chance_{cut}": found["chance"][cut]}
        search = one["search"]
        rows.append(row | {"pool": search["pictures"], "search": search["method"], "search_recall": search["recall"]})
    cuts = list(next(iter(scores.values()))["recall"]["at"])
    columns = [
        *("matcher", "words", ("pictures", "candidates")),
        *((f"recall@{cut}", _beside_chance(cut)) for cut in cuts),
        *("pool", ("search", _beside_recall)),
    ]
    notes = [
        "Dev: each word against all of dev's pictures; found is its own sentence's. In percent, in brackets a blind "
        "choice's. Pool: the distinct pictures that vokens are taken from."
    ]
    return Table("vokens", "Recall of the matchers", columns, rows, notes)


def _beside_chance(cut: str):
    return lambda row: f"{row[f'recall_{cut}']:.2f} ({row[f'chance_{cut}']:.2f})"


def _beside_recall(row: dict) -> str:
    recall = row["search_recall"]  # None of an exact search
    return row["search"] if recall is None else f"{row['search']}, recall {100 * recall:.2f}"


def _diversity_table(scores: dict[str, dict]) -> Table:
    rows = []
    for matcher, one in scores.items():
        for split, found in one["diversity"].items():
            own = one["own"][split]["shares"]
            row = {"matcher": matcher, "split": split, **{key: found[key] for key in ("words", "types", "pictures")}}
            row |= {"vokens": found["vokens"], "largest": found["largest"]}
            row |= {"repeated_vokens": found["repeated"]["vokens"], "repeated_entropy": found["repeated"]["entropy"]}
            rows.append(row | {"own_first": own["first"], "own_found": own["found"]})
    columns = [
        *("matcher", "split", "words", "types", ("pictures found", "pictures"), ("vokens a type", "vokens"), "largest"),
        ("of repeated types: vokens", "repeated_vokens"),
        ("entropy, bits", "repeated_entropy"),
        ("own first, %", "own_first"),
        ("own found, %", "own_found"),
    ]
    notes = [
        "First vokens, averages over token types (Tan and Bansal 2020). Own: words that find the very bytes of their "
        "sentence's picture, first or at all; "
        + ", ".join(f"`{matcher}` exclude_own: {str(one['exclude_own']).lower()}" for matcher, one in scores.items())
        + "."
    ]
    return Table("diversity", "Diversity of vokens, and own pictures", columns, rows, notes)


def _overlap_table(scores: dict[str, dict]) -> Table:
    keys = ("sentences", "attachments", "usable", "distinct_pictures", "names_of_train", "copies_of_train")
    rows = [
        {"matcher": matcher, "split": split, **{key: found.get(key) for key in keys}}
        for matcher, one in scores.items()
        for split, found in one["overlap"].items()
    ]
    notes = ["Copies of train: attachments that are byte for byte a training sentence's picture."]
    columns = ["matcher", "split", *((key.replace("_", " "), key) for key in keys)]
    return Table("overlap", "Attachments of the splits", columns, rows, notes)
