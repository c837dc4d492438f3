"""Crawls of a loopback web, and what they must end with."""

from pathlib import Path

from local_shard import fetched

from visner.config.images import Crawl, CustomImages, EngineImages

QUERIES = ["京都", "A&B", "C#", "空", *(f"語{number}" for number in range(16))]
LIMITS = {"user_agent": "tests (+mailto:tests@visner.example)", "allow_hosts": ["127.0.0.1"]}
FAST = Crawl(**LIMITS, host_rate=None, host_concurrency=20, retries=0, total_timeout=20, patience=0)
REASON = {"404": "http-404", "html": "not-a-picture", "truncated": "broken"}
WEB = {"bytes_a_picture": 3000, "pictures_per_query": 70, "fewest": 1, "empty": 0.2, "failing": 0.3}


def bing(server, crawl=FAST, **more) -> EngineImages:
    return EngineImages(source="bing", engine=server.url, side=32, crawl=crawl, **{"depth": 4, "candidates": 8, **more})


def crawl(tmp_path, recipe, queries=QUERIES, root=Path()) -> list[dict]:
    """The rows of the images table of some queries."""
    return fetched(tmp_path, recipe, queries, root=root, workers=2)


def asked(server, what: str) -> list[str]:
    return [request.path for request in server.requests() if request.path.startswith(what)]


def outcomes(rows: list[dict]) -> list[tuple]:
    """(query, rank, reason, address) of rows of the images table."""
    return [(row["query"], row["rank"], row["reason"], row["source_url"]) for row in rows]


def expected(server, depth: int, candidates: int) -> list[tuple]:
    """The outcomes for QUERIES by walking down each list, one address after the other."""
    found = []
    for query in QUERIES:
        usable = 0
        for rank, path in enumerate(server.web.pictures(query)[:candidates]):
            failure = server.web.failure(path)
            found.append((query, rank, failure and REASON[failure], server.url + path))
            usable += failure is None
            if usable == depth:
                break
    return found


SOURCE = """
class Source:
    def __init__(self, server, paths, page="/robots.txt"):
        self.server, self.paths, self.page = server, paths, page

    def pages(self, query):
        yield f"{self.server}{self.page}?{len(query)}"

    def addresses(self, page):
        return [self.server + path for path in self.paths]
"""


def custom(tmp_path, server, paths, page, **more) -> CustomImages:
    (tmp_path / "mine.py").write_text(SOURCE)
    options = {"server": server.url, "paths": paths, "page": page}
    return CustomImages(source="custom", file="mine.py", options=options, side=32, **{"crawl": FAST, **more})
