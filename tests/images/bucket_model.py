"""A bucket of the crawl store as plain dicts, and what tests put into one."""

import hashlib
import multiprocessing
from dataclasses import dataclass, field

from visner.images.crawling.buckets import Asked, bucket_of
from visner.images.prepare import Picture

BUCKET = 7


def picture(number, size=3000):
    """A picture of its own bytes; the store doesn't look into them."""
    kept = hashlib.shake_256(str(number).encode()).digest(size)
    return Picture(hashlib.sha256(b"original" + kept).hexdigest(), kept, 100 + number, 80)


def queries(number, bucket=BUCKET):
    """The first `number` queries of a bucket."""
    found, word = [], 0
    while len(found) < number:
        if bucket_of(f"語{word}") == bucket:
            found.append(f"語{word}")
        word += 1
    return found


@dataclass
class Model:
    """A bucket as dicts."""

    asked: dict = field(default_factory=dict)  # query -> Asked
    outcomes: dict = field(default_factory=dict)  # url -> Outcome
    origins: dict = field(default_factory=dict)  # url -> (source page, licence)

    def commit(self, pages, outcomes):
        for page in pages:
            urls, read, complete = self.asked.get(page.query, ([], 0, False))
            urls = list(dict.fromkeys([*urls, *page.urls]))
            for url in page.urls:
                named = zip(self.origins.get(url, (None, None)), page.origins.get(url, (None, None)), strict=True)
                self.origins[url] = tuple(old if old is not None else new for old, new in named)
            self.asked[page.query] = Asked(urls, max(read, page.page + 1), complete or page.last)
        self.outcomes.update({outcome.url: outcome for outcome in outcomes})

    def forget(self, some):
        gone = {query: self.asked.pop(query) for query in dict.fromkeys(some) if query in self.asked}
        left = {url for asked in self.asked.values() for url in asked.addresses}
        for asked in gone.values():
            for url in set(asked.addresses) - left:
                self.outcomes.pop(url, None)
                self.origins.pop(url, None)
        return len(gone)

    def forget_failures(self, reasons, some):
        named = {url for query in some or () if query in self.asked for url in self.asked[query].addresses}
        gone = [
            url
            for url, outcome in self.outcomes.items()
            if outcome.reason and (reasons is None or outcome.reason in reasons) and (some is None or url in named)
        ]
        for url in gone:
            del self.outcomes[url]
        return len(gone)

    def rows(self, query, depth, candidates):
        rows, usable = [], 0
        for rank, url in enumerate(self.asked[query].addresses[:candidates] if query in self.asked else []):
            outcome = self.outcomes.get(url)
            if outcome and usable < depth:
                usable += outcome.picture is not None
                image_id, kept, width, height = outcome.picture or (None,) * 4
                rows.append(
                    {"query": query, "rank": rank, "image_id": image_id, "reason": outcome.reason}
                    | {"bytes": kept, "width": width, "height": height, "source_url": url}
                    | dict(zip(("source_page", "licence"), self.origins.get(url, (None, None)), strict=True))
                )
        return rows

    def known(self):
        return {url: one.reason for url, one in self.outcomes.items()}


FORK = multiprocessing.get_context("fork")


def contents(bucket):
    return [bucket.select(f"SELECT count(*) FROM {table}")[0][0] for table in ("addresses", "pictures", "kept")]


ENDLESS = queries(3000)
