"""A corpus' sentences to its words, and to the queries of its nouns, by one MeCab process or several.

A noun is looked up in its normal form; which parts of speech are nouns is the recipe's. A corpus whose units are
tokens, as a tweet's are, has no Japanese text: there every token is a word, and no word has a query. With
`queries: sentences` each sentence is a query as it is: for a list of things whose pictures are a matcher's pool.
"""

import itertools
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from visner.config.corpora import Nouns
from visner.errors import VisnerError
from visner.nouns import VERSION, dictionary
from visner.nouns.finder import NounFinder, lies_under, query_of
from visner.nouns.statistics import Statistics
from visner.runtime import provenance, stages, tables
from visner.runtime.queries import write_queries

CHUNK = 2048  # sentences; one job of a process, one row group of the table


def find(
    *,
    sentences: Path,
    words: Path,
    queries: Path,
    shards: Path,
    statistics: Path,
    recipe: Nouns,
    root: Path = Path(),
    workers: int = 1,
) -> None:
    """From the table `sentences` make the tables `words` and `queries`, and the JSON file `statistics`.

    `shards` is a folder, made with one file of queries a shard: the pictures of a shard are looked up again when its
    file changes. All are the same, byte for byte, whatever the number of workers (MeCab processes). VisnerError where
    the recipe's dictionary (relative to `root`) or the table is missing.
    """
    origin = {
        "stage": "nouns",
        "version": VERSION,
        "recipe": recipe.model_dump(mode="json"),
        "dictionary": dictionary.describe(recipe.dictionary, root),
        "sentences": provenance.sha256_file(sentences),
        "versions": provenance.versions("fugashi", "pyarrow"),
    }
    are_characters = units_are_characters(sentences)
    if recipe.queries == "sentences":
        found = _sentences_as_words(recipe, sentences)
    elif are_characters:
        found = _words_by_mecab(recipe, root, sentences, workers)
    else:
        stages.log.info("the units are tokens: each is a word, without a part of speech or a query")
        found = _words_by_units(sentences)
    counts = Statistics()
    total = tables.count_rows(sentences)
    with (
        tables.table_writer(words, tables.WORDS, origin) as append,
        stages.progress(None, "nouns", total=total, unit="sentence") as bar,
    ):
        for batch, words_of_sentences in found:
            append(pa.record_batch([batch["sentence_id"], words_of_sentences], schema=tables.WORDS))
            counts.add(batch["split"], words_of_sentences)
            bar.update(batch.num_rows)
    write_queries(queries, shards, recipe.shards, counts.queries(), origin)
    summary = {"units": "characters" if are_characters else "tokens", **counts.summary()}
    tables.write_json(statistics, {**summary, **origin})
    stages.log.info(
        "%d words (%d distinct), %.1f%% of them nouns with a query; %d distinct queries",
        *(summary["words"], summary["lexicon"], 100 * summary["coverage"], summary["queries"]),
    )
    for left_out in recipe.exclude:
        if (
            recipe.queries == "nouns"
            and are_characters
            and not any(lies_under(pos, left_out) for pos in summary["parts_of_speech"])
        ):
            stages.log.warning("nouns.exclude: no word of this corpus is a %s", left_out)


def units_are_characters(sentences: str | os.PathLike) -> bool:
    """Whether all units of a corpus are single code points that make up the text, so that MeCab can read it.

    In any other corpus, as one of tweets, the units are tokens.
    """
    for batch in tables.iterate_batches(sentences, tables.SENTENCES, ["sentence_id", "text", "units"], CHUNK):
        sentence_id, text, units = batch.columns
        lengths_are_one = pc.all(pc.equal(pc.utf8_length(units.flatten()), 1), min_count=0).as_py()
        make_up_text = pc.equal(pc.binary_join(units, ""), text)
        if not (lengths_are_one and pc.all(make_up_text, min_count=0).as_py()):
            return False
    return True


def _words_by_units(sentences: str | os.PathLike) -> Iterator[tuple[pa.RecordBatch, pa.ListArray]]:
    """Batches of sentences with the words of each: every unit is one."""
    for batch in tables.iterate_batches(sentences, tables.SENTENCES, ["sentence_id", "split", "units"], CHUNK):
        words = [
            [
                {"surface": unit, "pos": "", "start": position, "stop": position + 1, "queries": []}
                for position, unit in enumerate(units)
            ]
            for units in batch["units"].to_pylist()
        ]
        yield batch, pa.array(words, tables.WORDS.field("words").type)


def _sentences_as_words(recipe: Nouns, sentences: str | os.PathLike) -> Iterator[tuple[pa.RecordBatch, pa.ListArray]]:
    """Batches of sentences, each one word and one query: itself."""
    for batch in tables.iterate_batches(sentences, tables.SENTENCES, ["sentence_id", "split", "text", "units"], CHUNK):
        words = [
            [{"surface": text, "pos": "", "start": 0, "stop": len(units), "queries": [query_of(text, recipe)]}]
            for text, units in zip(batch["text"].to_pylist(), batch["units"].to_pylist(), strict=True)
        ]
        yield batch, pa.array(words, tables.WORDS.field("words").type)


def _words_by_mecab(
    recipe: Nouns, root: str | os.PathLike, sentences: str | os.PathLike, processes: int
) -> Iterator[tuple[pa.RecordBatch, pa.ListArray]]:
    """Batches of sentences with the words of each, in the table's order, at most a few batches in memory."""
    batches = tables.iterate_batches(sentences, tables.SENTENCES, ["sentence_id", "split", "text"], CHUNK)
    if processes == 1:
        finder = NounFinder(recipe, root)
        for batch in batches:
            yield batch, finder.words_of_all(batch["text"].to_pylist())
        return
    # Processes are spawned: the fork of a process with threads, as pyarrow's, can stop dead.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start_process, (recipe, os.fspath(root))) as pool:
        pending = deque()
        try:
            while True:
                for batch in itertools.islice(batches, 2 * processes - len(pending)):
                    pending.append((batch, pool.submit(_find_in_process, batch["text"])))
                if not pending:
                    return
                batch, job = pending.popleft()
                yield batch, job.result()
        except BrokenProcessPool:
            raise VisnerError("a MeCab process was killed (out of memory?); run again with fewer processes") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _start_process(recipe: Nouns, root: str) -> None:
    global _finder  # of this process: MeCab cannot be sent to it
    stages.die_with_parent()
    _finder = NounFinder(recipe, root)


def _find_in_process(texts: pa.StringArray) -> pa.ListArray:
    return _finder.words_of_all(texts.to_pylist())
