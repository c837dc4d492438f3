"""A Python file of the user's own: it is loaded, and its errors become one line that names its line."""

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from visner.errors import VisnerError


class UserCode:
    """The module of `file`; `key` is how messages begin where there is none. Raises VisnerError."""

    def __init__(self, file: Path, key: str):
        self.file = file
        self._origin = str(file)
        self.module = self._load(key)

    @contextmanager
    def explained(self, passing: type[Exception] | tuple = ()) -> Iterator[None]:
        """Errors of the file as a VisnerError that names the line, or as `passing` where they are of that kind."""
        try:
            yield
        except VisnerError:
            raise
        except SyntaxError as error:
            file = self.file if error.filename == self._origin else error.filename
            raise VisnerError(f"{file}:{error.lineno}: {error.msg}") from None
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            line = next((frame.lineno for frame in reversed(frames) if frame.filename == self._origin), 1)
            if isinstance(error, passing):
                raise ValueError(f"{self.file}:{line}: {error}") from None
            raise VisnerError(f"{self.file}:{line}: {type(error).__name__}: {error}") from None

    def _load(self, key: str) -> ModuleType:
        if not self.file.is_file():
            raise VisnerError(f"{key}: there is no file {self.file}")
        # The name is the path's: a file called json.py must not take json's place.
        name = f"_visner_{hashlib.sha256(str(self.file.resolve()).encode()).hexdigest()[:16]}"
        spec = importlib.util.spec_from_file_location(name, self.file)
        if spec is None:
            raise VisnerError(f"{key}: {self.file}: the name of a Python file ends in .py")
        self._origin = spec.origin  # the file's name in tracebacks, which is absolute
        sys.modules[name] = module = importlib.util.module_from_spec(spec)  # dataclasses look themselves up there
        with self.explained():
            spec.loader.exec_module(module)
        return module
