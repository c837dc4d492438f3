"""A source of the user's own: the class `Source` of a Python file, held to the interface, its errors in one line."""

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from visner.errors import VisnerError
from visner.images.crawling.buckets import Origin


class CustomSource:
    """`Source(**options)` of a file, with its methods `pages(query)` and `addresses(page)`: see AddressSource.

    Whatever the file raises becomes a VisnerError with the file's line; but a ValueError of `addresses` stays one,
    with the line: it is how a source says that a page is no result page (as json.loads does of itself).
    """

    def __init__(self, file: Path, options: dict[str, Any]):
        self._file = file
        self._origin = str(file)
        source_class = self._load()
        try:
            inspect.signature(source_class).bind(**options)
        except TypeError as error:
            raise VisnerError(f"images: options: {file}: Source can't be made with them: {error}") from None
        with self._explained():
            self._source = source_class(**options)

    def pages(self, query: str) -> Iterator[str]:
        """The source's result pages, one by one."""
        with self._explained():
            for page in self._source.pages(query):
                if not isinstance(page, str):
                    raise VisnerError(f"{self._file}: Source.pages: an address is a str, not {page!r}")
                yield page

    def addresses(self, page: bytes) -> list[str]:
        """The pictures' addresses of a page, no address twice."""
        with self._explained(passing=ValueError):
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
        with self._explained(passing=ValueError):
            found = {address: {"page": None, "licence": None} | origin for address, origin in named(page).items()}
        for address, origin in found.items():
            if len(origin) != 2 or not all(
                text is None or isinstance(text, str) for text in (address, *origin.values())
            ):
                raise VisnerError(
                    f"{self._file}: Source.origins: of an address it may say a page and a licence, as str, not {origin}"
                )
        return {address: Origin(**origin) for address, origin in found.items()}

    def _load(self) -> type:
        if not self._file.is_file():
            raise VisnerError(f"images: file: there is no file {self._file}")
        # The name is the path's: a source called json.py must not take json's place.
        name = f"_visner_source_{hashlib.sha256(str(self._file.resolve()).encode()).hexdigest()[:16]}"
        spec = importlib.util.spec_from_file_location(name, self._file)
        if spec is None:
            raise VisnerError(f"images: file: {self._file}: the name of a Python file ends in .py")
        self._origin = spec.origin  # the file's name in tracebacks, which is absolute
        sys.modules[name] = module = importlib.util.module_from_spec(spec)  # dataclasses look themselves up there
        with self._explained():
            spec.loader.exec_module(module)
        source_class = getattr(module, "Source", None)
        if not isinstance(source_class, type):
            raise VisnerError(f"{self._file}: there is no class Source in it")
        missing = [method for method in ("pages", "addresses") if not callable(getattr(source_class, method, None))]
        if missing:
            raise VisnerError(f"{self._file}: the class Source has no method {' and no method '.join(missing)}")
        return source_class

    @contextmanager
    def _explained(self, passing: type[Exception] | tuple = ()) -> Iterator[None]:
        """Errors of the file as a VisnerError that names the line, or as `passing` where they are of that kind."""
        try:
            yield
        except VisnerError:
            raise
        except SyntaxError as error:
            file = self._file if error.filename == self._origin else error.filename
            raise VisnerError(f"{file}:{error.lineno}: {error.msg}") from None
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            line = next((frame.lineno for frame in reversed(frames) if frame.filename == self._origin), 1)
            if isinstance(error, passing):
                raise ValueError(f"{self._file}:{line}: {error}") from None
            raise VisnerError(f"{self._file}:{line}: {type(error).__name__}: {error}") from None
