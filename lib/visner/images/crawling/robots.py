"""What a host asks of robots: robots.txt (RFC 9309), which protego reads, and X-Robots-Tag.

Decided here is which group of a robots.txt is ours, how long it is remembered, and which rules of X-Robots-Tag reserve
a picture. What is done where a robots.txt is missing or can't be had stands in `client`.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable

from protego import Protego

MAX_BYTES = 512_000  # of a robots.txt are read: RFC 9309, 2.5
ANSWERS = 4096  # robots.txt files remembered
FAILURE_LASTS = 300.0  # seconds until a robots.txt that couldn't be had is asked for again
RESERVING = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})  # none: noindex and nofollow
# Rules of X-Robots-Tag with a colon of their own.
VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
USER_AGENT = re.compile(r"^\s*user[- ]?agent\b\s*:?([^/#]*).*", re.IGNORECASE)  # in every spelling that protego knows


class Robots:
    """What one robots.txt says to one crawler: `delay` in seconds (Crawl-delay), and which paths it may fetch."""

    def __init__(self, text: str, user_agent: str):
        """`user_agent` is the whole header; groups are matched by the name in it."""
        # protego finds a name anywhere in ours ("visner" in "visner-crawl"), and none that has a version behind it: so
        # groups are ours, of all ("*"), or of others.
        names = {"*": "*", _name(user_agent): "us"}

        def renamed(line: re.Match) -> str:
            return f"User-agent: {names.get(line[1].strip().lower(), 'others')}"

        self._rules = Protego.parse("\n".join(USER_AGENT.sub(renamed, line) for line in text.splitlines()))
        self.delay = self._rules.crawl_delay("us") or 0.0

    def allows(self, path: str) -> bool:
        """Whether a path (with its query) may be fetched."""
        return self._rules.can_fetch(f"http://host{path}", "us")


class RobotsCache:
    """The robots.txt of many origins, each asked for once however many wait for it."""

    def __init__(self, fetch: Callable[[str], Awaitable[Robots | Exception]]):
        """`fetch` takes an origin (scheme, host, port). Where there is no answer it returns why, and raises nothing:
        an exception that is raised again and again keeps all that it has passed.
        """
        self._fetch = fetch
        self._answers: dict[str, tuple[asyncio.Task, float]] = {}  # the longest unused first

    async def get(self, origin: str) -> Robots | Exception:
        """What `fetch` returns for the origin: Robots for good, an exception for FAILURE_LASTS."""
        task, began = self._answers.pop(origin, (None, 0.0))
        failed = task is not None and task.done() and (task.cancelled() or isinstance(task.result(), Exception))
        if task is None or (failed and began + FAILURE_LASTS < time.monotonic()):
            task, began = asyncio.ensure_future(self._fetch(origin)), time.monotonic()
        self._answers[origin] = task, began
        if len(self._answers) > ANSWERS:
            del self._answers[next(iter(self._answers))]  # who waits for it keeps it
        return await asyncio.shield(task)  # one caller's cancellation is not the others'

    def forget_failures(self) -> None:
        """Ask anew where there was no answer: that was this machine's fault."""
        for origin, (task, _) in list(self._answers.items()):
            if task.done() and isinstance(task.result(), Exception):
                del self._answers[origin]

    async def close(self) -> None:
        """End what is still being asked."""
        tasks = [task for task, _ in self._answers.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def reserves(tags: Iterable[str], user_agent: str) -> bool:
    """Whether X-Robots-Tag headers of a picture say that it isn't for us: a rule of RESERVING, for all or for our name.

    A header is a list of rules. `googlebot: noindex, noai` says whom the rules from there on are for; headers that were
    joined on the way may have several such names.
    """
    for tag in tags:
        ours = True
        for part in tag.lower().split(","):
            name, colon, rule = (piece.strip() for piece in part.partition(":"))
            if not colon:
                rule = name
            elif name in VALUED or re.search(r"\s", name):  # the latter: of a date, behind its comma
                continue
            else:
                ours = name in ("*", _name(user_agent))
            if ours and rule in RESERVING:
                return True
    return False


def _name(user_agent: str) -> str:
    """A crawler's name in lower case: the first word of its User-Agent, up to a slash."""
    return re.split(r"[/\s]", user_agent.strip(), maxsplit=1)[0].lower()
