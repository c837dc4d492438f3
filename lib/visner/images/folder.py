"""A folder of pictures: its files by name, in whichever of Unicode's forms; names that aren't text."""

import errno
import os
import unicodedata
from pathlib import Path
from typing import BinaryIO

from visner.errors import VisnerError
from visner.images.prepare import Rejected


class Folder:
    """A folder of pictures, whose files are found by their names in whichever of Unicode's forms these are on disk.

    One é may be one code point (NFC, as most programs write it) or two (NFD, as macOS writes names of files), and a
    list of files often comes from another machine than the files. VisnerError where there is no such folder.
    """

    def __init__(self, path: Path):
        if not path.is_dir():
            raise VisnerError(f"images: folder: there is no folder {path}")
        self.path = path
        self._other_forms: dict[Path, dict[str, list[str]]] = {}  # of folders that were looked into, see _others

    def find(self, name: str) -> Path:
        """The file of a name relative to the folder; where there is none, some path that isn't there."""
        path = self.path / name
        if os.path.lexists(path):
            return path
        places = [Path(path.anchor) if Path(name).is_absolute() else self.path]
        for part in Path(name).parts:
            composed = unicodedata.normalize("NFC", part)
            places = [
                place / form
                for place in places
                for form in dict.fromkeys((part, composed, *self._others(place).get(composed, ())))
                if os.path.lexists(place / form)
            ]
        return places[0] if places else path

    def _others(self, folder: Path) -> dict[str, list[str]]:
        """The names in a folder that aren't in NFC, by their NFC."""
        if folder not in self._other_forms:
            forms: dict[str, list[str]] = {}
            for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
                if not unicodedata.is_normalized("NFC", name):
                    forms.setdefault(unicodedata.normalize("NFC", name), []).append(name)
            self._other_forms[folder] = forms
        return self._other_forms[folder]

    def listing(self, names: list[str]) -> str:
        """What the folder lists of some files, a line a file: name, size and time of change, or `missing`.

        Two listings differ where a file of them was added, removed, renamed or changed. It is called for each query
        before each run, so it asks the system once a file that is there, and reads none.
        """
        lines, place = [], str(self.path)
        for name in names:
            try:
                try:
                    status = os.stat(f"{place}/{name}")
                except FileNotFoundError:
                    status = os.stat(self.find(name))
                lines.append(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n")
            except (OSError, ValueError):  # no such file; a name with a null
                lines.append(f"{name}\0missing\n")
        return "".join(lines)

    def open(self, name: str) -> BinaryIO:
        """The file of a name; raises Rejected where there is none, or where no table can have its name."""
        if not is_text(name):
            raise Rejected("name-not-utf-8")
        path = self.path
        try:
            path = self.find(name)
            return open(path, "rb")
        except PermissionError:
            raise VisnerError(f"{path}: no permission to read it; change its mode or owner") from None
        except OSError as error:
            if error.errno not in NO_SUCH_FILE:
                raise VisnerError(f"{path}: can't be read: {error.strerror}") from None
            raise Rejected("missing") from None
        except ValueError:  # a null in the name
            raise Rejected("missing") from None


NO_SUCH_FILE = (errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


def is_text(name: str) -> bool:
    """Whether the name of a file is UTF-8, as those in zips of other times and places often aren't."""
    return as_text(name) == name


def as_text(name: str) -> str:
    r"""The name of a file as tables can have it: bytes that aren't UTF-8 as escapes, such as \x83."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
