"""The stage from end to end: a corpus on disk becomes the table of sentences and its statistics."""

import tempfile
from collections.abc import Iterator
from functools import partial
from logging import INFO, WARNING
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from visner.config.base import below
from visner.config.corpora import Corpus
from visner.corpora import conll, custom, cutting, ene, imgid, inputs, stockmark, text
from visner.corpora.corrections import Corrections
from visner.corpora.labels import compare_schemes
from visner.corpora.overlap import Overlap
from visner.corpora.records import Findings
from visner.corpora.splits import Splits
from visner.corpora.statistics import Statistics
from visner.errors import VisnerError
from visner.runtime import stages
from visner.runtime.provenance import sha256_file, sha256_files, versions
from visner.runtime.tables import SENTENCES, iterate_rows, write_json, write_table

# A reader: (file, its name, recipe, findings) -> documents. A new format is a module, its line here and its recipe.
READERS = {"ene": ene.read, "stockmark": stockmark.read, "conll": conll.read, "imgid": imgid.read, "text": text.read}
NO_PART_OF_RESULTS = ("nouns", "download", "published")  # keys of a recipe that change nothing here


def read(*, sentences: Path, statistics: Path, recipe: Corpus, root: Path = Path(), corpus: str = "NAME") -> None:
    """Read a corpus; write its table of sentences and its statistics.

    Sentences go to the table document by document, in the order of the recipe's paths, which start at `root`. `corpus`
    is the recipe's name in the configuration, for messages. VisnerError for what the readers, the corrections or the
    splits refuse; then nothing is written.
    """
    files = inputs.files(recipe, root)
    findings = Findings(f"corpora.{corpus}")
    texts = inputs.corpus_files(recipe, root, findings=findings)
    separator = " " if recipe.of_tokens else ""
    counts = Statistics(recipe.classes, separator)
    corrections = Corrections(inputs.corrections_file(recipe, root), recipe.classes)
    splits = Splits(recipe, root)
    reader = READERS.get(recipe.format)
    if recipe.format == "custom":
        reader = partial(custom.read, code=custom.load(below(root, recipe.file), recipe.options))
    overlap = Overlap()

    def rows() -> Iterator[dict]:
        for file in stages.progress(texts, "reading", unit="file"):
            for document in reader(file.path, file.name, recipe, findings):
                split = splits.of(document, file)
                document = cutting.cut(corrections.correct(document), recipe, findings)
                for sentence in document.sentences:
                    overlap.add(split, document.path, sentence)
                    counts.add(document.document_id, split, sentence)
                    yield {
                        "sentence_id": sentence.sentence_id,
                        "document_id": document.document_id,
                        "split": split,
                        "text": separator.join(sentence.units),
                        "units": sentence.units,
                        "labels": sentence.labels,
                        "attachment": document.attachment,
                    }
        if findings.schemes:
            compare_schemes(recipe, findings)
        corrections.finish()
        splits.finish()
        if not counts.sentences:
            raise VisnerError(f"paths: there is no sentence in the {len(files)} file(s), of which {files[0]} is one")

    made_from = {
        "sha256": sha256_files(files),
        "recipe": recipe.model_dump(mode="json", exclude=set(NO_PART_OF_RESULTS)),
        "versions": versions("pyarrow"),
    }
    if recipe.format == "imgid":
        made_from["files_sha256"] = [
            {"split": file.split, "file": file.name, "sha256": sha256_file(file.path)} for file in texts
        ]
    write_table(sentences, SENTENCES, rows(), made_from)
    shared = overlap.report(findings)
    counted = {
        "format": recipe.format,
        "files": len(files),
        **counts.to_json(findings),
        "overlap": shared,
        "corrections": corrections.applied,
        **made_from,
    }
    write_json(statistics, counted)
    _report(counted)


def read_corpus(recipe: Corpus | dict[str, Any], root: str | Path = ".") -> list[dict[str, Any]]:
    """The sentences of a corpus, as dicts with the columns of the table of sentences.

    `recipe` is one of a configuration's `corpora`; paths in it start at `root`. VisnerError as `read`.
    """
    try:
        checked = TypeAdapter(Corpus).validate_python(recipe)
    except ValidationError as error:
        first = error.errors()[0]
        raise VisnerError(f"recipe: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "sentences.parquet"
        read(sentences=table, statistics=Path(folder) / "statistics.json", recipe=checked, root=Path(root))
        return list(iterate_rows(table, SENTENCES))


def _report(counted: dict) -> None:
    """The main counts, and what a user should look at, as messages."""
    splits = ", ".join(f"{split} {counts['sentences']:,}" for split, counts in counted["splits"].items())
    stages.log.info(
        "%s files, %s documents, %s sentences (%s), %s mentions",
        *(f"{counted[key]:,}" for key in ("files", "documents", "sentences")),
        splits,
        f"{counted['mentions']:,}",
    )
    for kind, finding in counted["findings"].items():
        if finding["count"]:
            level = WARNING if kind == "files_unopened" else INFO
            stages.log.log(level, "%s: %s", f"{finding['count']:,}", finding["meaning"])
    for label, counts in counted["classes"].items():
        if not counts["mentions"]:
            stages.log.warning("classes: no mention has the class %s", label)
