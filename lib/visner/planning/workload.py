"""What each rule's job has to do, in numbers that do not depend on a machine: what it works through, reads and makes.

One method a rule, by the rule's name; it takes the job's wildcards. The numbers come from `visner.planning.counts`.
"""

from typing import NamedTuple

from visner.planning.counts import LETTERS, LEXICON, Counts
from visner.recipes import Experiment

MB = 1e6
KEPT = {"sample": 9_100, "attached": 30_000}  # bytes of a kept picture: measured on the sample; stand-ins of tweets
KEPT_PHOTO = 34_000  # and of a photograph from the web
STEP = 400  # a training step of the BiLSTM costs, whatever its batch, as much as so many units
EXACT = {"cpu": 1_000_000, "cuda": 50_000_000}  # pictures all compared with each word; past that a graph is searched
# Of a graph: a search is as much as so many comparisons; what linking a picture takes in billion multiply-adds, and in
# bytes (benchmarks/search.py: a million in 107 s, 1,682 searches a second).
COMPARED, LINKING, LINKED = 100_000, 0.002, 450


class Work(NamedTuple):
    """The work of one job."""

    items: float = 0.0  # each costs what the rule's `each` says
    gmac: float = 0.0  # billion multiply-adds of a model
    waits: float = 0.0  # seconds that it waits for others, by its own politeness
    loaded: float = 0.0  # MB in memory beside the program itself
    made: float = 0.0  # MB on disk, in results and in the store


class Workload:
    """The work of every job of one configuration."""

    def __init__(self, counts: Counts):
        self.counts, self.config = counts, counts.config

    def of(self, rule: str, wildcards) -> Work:
        """A job's work; a rule without a method has none that grows."""
        return getattr(self, rule, lambda wildcards: Work())(wildcards)

    def corpora_download(self, w) -> Work:
        return Work(made=0.5)

    def corpora_read(self, w) -> Work:
        text = self.counts.text(w.corpus)
        return Work(text.units, loaded=300 * text.units / MB, made=5 * text.units / MB)

    def corpora_attachments(self, w) -> Work:
        return Work(loaded=500 * self.counts.text(w.corpus).sentences / MB)

    def nouns_find(self, w) -> Work:
        text = self.counts.text(w.corpus)
        return Work(text.units, loaded=400 * text.units / MB, made=5 * text.units / MB)

    def images_fetch(self, w) -> Work:
        recipe = self.config.images[w.source]
        rows = self.counts.shard(w.source, w.corpus, w.shard).rows
        made = rows * KEPT.get(recipe.source, KEPT_PHOTO) / MB
        if recipe.on_network:
            pages = self.counts.queries(w.source, w.corpus) / self.config.corpora[w.corpus].nouns.shards
            return Work(rows, waits=pages / (recipe.crawl.host_rate or float("inf")), made=2 * made)
        return Work(rows, loaded=0.1 * made, made=made)

    def images_coverage(self, w) -> Work:
        pictures = self.counts.pictures(w.source, w.corpus)
        return Work(pictures.rows, loaded=150 * (pictures.distinct + self.counts.queries(w.source, w.corpus)) / MB)

    def embeddings_weights(self, w) -> Work:
        return Work(made=self.counts.backbone(w.embedding).megabytes)

    def embeddings_embed(self, w) -> Work:
        pictures = self.counts.shard(w.source, w.corpus, w.shard).distinct
        gmac, dimensions, _ = self.counts.backbone(w.embedding)
        regions = 50 if self.config.embeddings[w.embedding].regions else 1
        vectors = pictures * dimensions * regions * 4 / MB
        return Work(pictures, pictures * gmac, loaded=0.2 * vectors, made=2 * vectors)

    def vectors_glove(self, w) -> Work:
        recipe = getattr(self.config.vectors[w.vectors], w.part)
        texts = [self.counts.text(corpus) for corpus in recipe.corpora]
        of_words = w.part == "glove_word"
        tokens = sum((text.words if of_words else text.units) * text.share.get("train", 0) for text in texts)
        keys = sum(text.queries for text in texts) * LEXICON if of_words else LETTERS
        pairs = min(tokens * recipe.window, keys**2)  # distinct ones: about half of those that are met
        work = recipe.epochs * pairs * recipe.dimensions / 1e9
        size = keys * recipe.dimensions * 4 / MB
        return Work(recipe.epochs if texts else 0, work, loaded=40 * pairs / MB + 4 * size, made=size)

    def vectors_flair_train(self, w) -> Work:
        recipe, (hidden, unit) = self.config.vectors[w.vectors].flair, self.counts.flair(w.vectors)
        texts = [self.counts.text(corpus) for corpus in recipe.corpora]
        letters = recipe.epochs * sum(text.units * text.share.get("train", 0) for text in texts)
        steps = letters / (recipe.sequence_length * recipe.batch)
        size = self._language_model(w)
        batch = recipe.sequence_length * recipe.batch * LETTERS * 12 / MB  # its scores of the next character
        loaded = 6 * size + letters / recipe.epochs * 8 / MB + batch
        return Work(steps, 3 * letters * (unit + hidden * LETTERS) / 1e9, loaded=loaded, made=size)

    def vectors_flair_import(self, w) -> Work:
        return Work(loaded=3 * self._language_model(w), made=self._language_model(w))

    def _language_model(self, w) -> float:
        """MB of one direction's parameters."""
        hidden, unit = self.counts.flair(w.vectors)
        return 4 * (unit + LETTERS * (hidden + 100)) / MB

    def vectors_flair_embed(self, w) -> Work:
        text, (hidden, unit) = self.counts.text(w.corpus), self.counts.flair(w.vectors)
        made = text.words * 2 * hidden * 4 / MB
        return Work(text.units, 2 * text.units * unit / 1e9, loaded=made + 300 * text.units / MB, made=made)

    def vectors_encoder(self, w) -> Work:
        size = 4 * self.counts.encoder(self.counts.wiring.hub_encoders()[w.encoder]).parameters / MB
        return Work(loaded=3 * size, made=size)

    def vokens_states(self, w) -> Work:
        matcher = self.config.matchers[w.matcher]
        encoder = self.counts.encoder(matcher.encoder)
        made = self._states(matcher) / matcher.shards
        subtokens = self.counts.subtokens(matcher.corpus) / matcher.shards
        loaded = made + 4 * encoder.parameters / MB
        return Work(subtokens, subtokens * encoder.multiply_adds / 1e9, loaded=loaded, made=made)

    def _states(self, matcher) -> float:
        """MB of the states of all words."""
        return self.counts.text(matcher.corpus).units * self.counts.encoder(matcher.encoder).hidden * 4 / MB

    def vokens_train(self, w) -> Work:
        matcher = self.config.matchers[w.matcher]
        text = self.counts.text(matcher.corpus)
        dimensions = self.counts.backbone(matcher.embedding).dimensions
        pictures = self.counts.pictures(matcher.images, matcher.corpus).distinct * dimensions * 4 / MB
        seen = matcher.training.epochs * text.units * text.share.get("train", 0)
        gmac = 3 * seen * matcher.hidden * (dimensions + matcher.dimensions) / 1e9
        return Work(seen, gmac, loaded=self._states(matcher) + pictures, made=2)

    def vokens_pool(self, w) -> Work:
        matcher = self.config.matchers[w.matcher]
        pictures, dimensions = self._pool(matcher), self.counts.backbone(matcher.embedding).dimensions
        made, gmac = pictures * (4 * matcher.dimensions + 100) / MB, pictures * matcher.hidden * dimensions / 1e9
        if pictures > self._exact():
            made, gmac = made + pictures * LINKED / MB, gmac + pictures * LINKING
        return Work(pictures, gmac, loaded=3 * made, made=made)

    def _exact(self) -> int:
        """How many pictures are searched exactly."""
        return EXACT["cuda" if self.config.gpu else "cpu"]

    def _pool(self, matcher) -> float:
        """How many pictures a matcher searches."""
        return self.counts.pictures(*self.counts.wiring.pool(matcher)).distinct

    def vokens_search(self, w) -> Work:
        matcher = self.config.matchers[w.matcher]
        units, pictures = self.counts.text(matcher.corpus).units / matcher.shards, self._pool(matcher)
        kept = units * matcher.top * 20 / MB
        loaded = self._states(matcher) / matcher.shards + pictures * (8 * matcher.dimensions + 300) / MB + 5 * kept
        compared = pictures if pictures <= self._exact() else COMPARED
        return Work(units, units * compared * matcher.dimensions / 1e9, loaded=loaded, made=kept)

    def vokens_judge(self, w) -> Work:
        matcher = self.config.matchers[w.matcher]
        units, pictures = self.counts.text(matcher.corpus).units, self.counts.pictures(matcher.images, matcher.corpus)
        vectors = pictures.distinct * self.counts.backbone(matcher.embedding).dimensions * 4 / MB
        kept = units * matcher.top * 100 / MB
        return Work(units, units * pictures.distinct * matcher.dimensions / 1e9, loaded=vectors + kept, made=1)

    def grounding(self, w) -> Work:
        one, text = self._of_experiment(w)
        vectors = self._visual(one)
        return Work(text.units, loaded=2 * vectors + 500 * text.units / MB, made=vectors + text.units / MB)

    def ner_train(self, w) -> Work:
        one, text = self._of_experiment(w)
        train = text.share.get("train", 0)
        loaded = self._read_by_ner(w)
        if self.counts.is_bert(w.experiment):
            encoder = self.counts.encoder(one.encoder)
            seen = one.training.epochs * self.counts.subtokens(one.corpus) * (train + text.share.get("dev", 0) / 3)
            size = 4 * encoder.parameters / MB
            return Work(seen, 3 * seen * encoder.multiply_adds / 1e9, loaded=loaded + 5 * size, made=size)
        unit, parameters = self.counts.bilstm(w.experiment)
        seen = one.training.epochs * text.units * train
        steps = one.training.epochs * text.sentences * train / one.training.batch
        size = 4 * parameters / MB  # five times in memory: gradients, two moments, the best epoch's
        return Work(seen + STEP * steps, 3 * seen * unit / 1e9, loaded=loaded + 5 * size, made=size)

    def ner_predict(self, w) -> Work:
        one, text = self._of_experiment(w)
        share = text.share.get("dev", 0) + text.share.get("test", 0)
        if self.counts.is_bert(w.experiment):
            seen, encoder = share * self.counts.subtokens(one.corpus), self.counts.encoder(one.encoder)
            unit, parameters = encoder.multiply_adds, encoder.parameters
        else:
            seen, (unit, parameters) = share * text.units, self.counts.bilstm(w.experiment)
        loaded = self._read_by_ner(w) + 4 * parameters / MB
        return Work(seen, seen * unit / 1e9, loaded=loaded, made=2 * seen / MB)

    def evaluation_scores(self, w) -> Work:
        one, text = self._of_experiment(w)
        return Work(len(one.seeds) * text.sentences, loaded=1500 * text.units * len(one.seeds) / 10 / MB)

    def evaluation_gallery(self, w) -> Work:
        study = self.config.studies[w.study]
        text = self.counts.text(self.config.experiments[study.baseline].corpus)
        return Work(text.sentences, loaded=500 * text.units / MB, made=2)

    def evaluation_study(self, w) -> Work:
        study = self.config.studies[w.study]
        one = self.config.experiments[study.baseline]
        text = self.counts.text(one.corpus)
        predictions = len(one.seeds) * len(study.systems) * text.sentences * text.share.get("test", 0)
        return Work(study.shuffles * predictions, loaded=500 * text.units / MB + 2000 * predictions / MB, made=1)

    def _of_experiment(self, w) -> tuple[Experiment, object]:
        one = self.config.experiments[w.experiment]
        return one, self.counts.text(one.corpus)

    def _visual(self, one: Experiment) -> float:
        """MB of the vectors that an experiment's units see: a row a query that has pictures, or a row a picture."""
        if one.fusion == "none":
            return 0.0
        source, corpus = self.counts.wiring.pictures_of(one)
        rows = self.counts.pictures(source, corpus).distinct
        if one.grounding == "queries":
            rows = min(rows, self.counts.queries(source, corpus))
        regions = 49 if one.grounding == "attached" and self.config.embeddings[one.embedding].regions else 1
        return rows * regions * self.counts.backbone(one.embedding).dimensions * 4 / MB

    def _read_by_ner(self, w) -> float:
        """MB that training and tagging read: sentences, vectors of text and of pictures. Mapped files count, too."""
        one, text = self._of_experiment(w)
        loaded = 600 * text.units / MB + self._visual(one)
        if not self.counts.is_bert(w.experiment):
            vectors = self.config.vectors[one.vectors]
            loaded += text.words * 2 * self.counts.flair(one.vectors)[0] * 4 / MB if vectors.flair else 0
            for part, keys in ((vectors.glove_char, LETTERS), (vectors.glove_word, text.queries * LEXICON)):
                loaded += keys * part.dimensions * 4 / MB if part else 0
        return loaded
