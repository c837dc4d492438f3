"""robots.txt as RFC 9309 has it: the longest rule decides, `*` and `$` are patterns, groups of one name are one.

The standard library's parser takes the first rule that is a prefix, reads `*` in a path literally, and loses a group
behind an empty line: `Disallow: /*.jpg$` would be overlooked.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import quote

MAX_BYTES = 512_000  # of a robots.txt are read: RFC 9309, 2.5
ANSWERS = 4096  # robots.txt files remembered
FAILURE_LASTS = 300.0  # seconds until a robots.txt that couldn't be had is asked for again
RESERVING = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})  # none: noindex and nofollow
# Rules of X-Robots-Tag with a colon of their own.
VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Robots:
    """What one robots.txt says to one crawler: `delay` in seconds (Crawl-delay), and which paths it may fetch."""

    def __init__(self, text: str, user_agent: str):
        """`user_agent` is the whole header; groups are matched by the name in it."""
        name = _name(user_agent)
        groups = _groups(text)
        lines = groups.get(name, groups.get("*", []))
        self.delay = max(
            (float(value) for key, value in lines if key == "crawl-delay" and _is_number(value)), default=0
        )
        self._rules = [(_normal(value), key == "allow") for key, value in lines if value and key != "crawl-delay"]

    def allows(self, path: str) -> bool:
        """Whether a path (with its query) may be fetched. The longest rule that matches decides; of equals, Allow."""
        path = _normal(path)
        matching = [(len(pattern), allow) for pattern, allow in self._rules if _matches(pattern, path)]
        return max(matching, default=(0, True))[1]


class RobotsCache:
    """The robots.txt of many origins, each asked for once however many wait for it."""

    def __init__(self, fetch: Callable[[str], Awaitable[Robots | Exception]]):
        """`fetch` takes an origin (scheme, host, port). Where there is no answer it returns why, and raises nothing:
        an exception that is raised again and again keeps all that it has passed.
        """
        self._fetch = fetch
        self._answers: OrderedDict[str, tuple[asyncio.Task, float]] = OrderedDict()

    async def get(self, origin: str) -> Robots | Exception:
        """What `fetch` returns for the origin: Robots for good, an exception for FAILURE_LASTS."""
        task, began = self._answers.get(origin, (None, 0.0))
        failed = task is not None and task.done() and (task.cancelled() or isinstance(task.result(), Exception))
        if task is None or (failed and began + FAILURE_LASTS < time.monotonic()):
            task = asyncio.ensure_future(self._fetch(origin))
            self._answers[origin] = task, time.monotonic()
        self._answers.move_to_end(origin)
        if len(self._answers) > ANSWERS:
            self._answers.popitem(last=False)  # who waits for it keeps it
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


def _groups(text: str) -> dict[str, list[tuple[str, str]]]:
    """A crawler's name in lower case -> its lines (allow, disallow, crawl-delay) from all groups that name it."""
    groups: dict[str, list[tuple[str, str]]] = {}
    current: list[list[tuple[str, str]]] = []
    naming = False
    for line in re.split(r"[\r\n]+", text):
        key, separator, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent" and separator:
            if not naming:
                current = []
            current.append(groups.setdefault(value.partition("/")[0].strip().lower(), []))
            naming = True
        elif key in ("allow", "disallow", "crawl-delay"):
            naming = False
            for group in current:
                group.append((key, value))
    return groups


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value, re.ASCII) is not None


def _normal(path: str) -> str:
    """One spelling of a path: what need not be percent-encoded is not, all else is, in upper case."""
    encoded = quote(path, safe="!#$%&'()*+,/:;=?@[]~", errors="replace")

    def spelling(escape: re.Match) -> str:
        character = chr(int(escape[1], 16))
        return character if character in UNRESERVED else escape[0].upper()

    return re.sub("%([0-9A-Fa-f]{2})", spelling, encoded)


def _matches(pattern: str, path: str) -> bool:
    """Whether a rule matches, in time linear in both: a regular expression could be made to take for ever."""
    anchored = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    if not others:
        return place == len(path) or not anchored
    last = others.pop() if anchored else ""
    for piece in others:
        place = path.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return path.endswith(last) and len(path) - len(last) >= place
