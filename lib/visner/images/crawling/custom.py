"""A source of the user's own: the class `Source` of a Python file, held to the interface, its errors in one line."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from visner.errors import VisnerError
from visner.images.crawling.buckets import Origin
from visner.runtime.user_code import UserCode


class CustomSource:
    """`Source(**options)` of a file, with its methods `pages(query)` and `addresses(page)`: see AddressSource.

    Whatever the file raises becomes a VisnerError with the file's line; but a ValueError of `addresses` stays one,
    with the line: it is how a source says that a page is no result page (as json.loads does of itself).
    """

    def __init__(self, file: Path, options: dict[str, Any]):
        self._file, self._code = file, UserCode(file, "images: file")
        source_class = self._source_class()
        try:
            inspect.signature(source_class).bind(**options)
        except TypeError as error:
            raise VisnerError(f"images: options: {file}: Source can't be made with them: {error}") from None
        with self._code.explained():
            self._source = source_class(**options)

    def pages(self, query: str) -> Iterator[str]:
        """The source's result pages, one by one."""
        with self._code.explained():
            for page in self._source.pages(query):
                if not isinstance(page, str):
                    raise VisnerError(f"{self._file}: Source.pages: an address is a str, not {page!r}")
                yield page

    def addresses(self, page: bytes) -> list[str]:
        """The pictures' addresses of a page, no address twice."""
        with self._code.explained(passing=ValueError):
            found = self._source.addresses(page)
            found = found if isinstance(found, str) else list(found)  # a generator's errors are the file's too
        if isinstance(found, str) or not all(isinstance(address, str) for address in found):
            raise VisnerError(f"{self._file}: Source.addresses: it has to return a list of str, not {found!r:.80}")
        return list(dict.fromkeys(found))

    def origins(self, page: bytes) -> dict[str, Origin]:
        """What the file's own `origins(page)` says, where it has one: address -> {"page": ..., "licence": ...}."""
        named = getattr(self._source, "origins", None)
        if named is None:
            return {}
        with self._code.explained(passing=ValueError):
            found = {address: {"page": None, "licence": None} | origin for address, origin in named(page).items()}
        for address, origin in found.items():
            if len(origin) != 2 or not all(
                text is None or isinstance(text, str) for text in (address, *origin.values())
            ):
                raise VisnerError(
                    f"{self._file}: Source.origins: of an address it may say a page and a licence, as str, not {origin}"
                )
        return {address: Origin(**origin) for address, origin in found.items()}

    def _source_class(self) -> type:
        source_class = getattr(self._code.module, "Source", None)
        if not isinstance(source_class, type):
            raise VisnerError(f"{self._file}: there is no class Source in it")
        missing = [method for method in ("pages", "addresses") if not callable(getattr(source_class, method, None))]
        if missing:
            raise VisnerError(f"{self._file}: the class Source has no method {' and no method '.join(missing)}")
        return source_class
