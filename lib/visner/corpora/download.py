"""Fetches a public text file, checked by its sha256: whole and the right one, or not at all."""

import hashlib
from http.client import HTTPException
from pathlib import Path
from urllib.request import build_opener

from visner.corpora.inputs import refuse_other_variant
from visner.errors import VisnerError
from visner.runtime import stages, tables

CHUNK = 1 << 16
TIMEOUT = 60  # seconds without a byte


def download(*, url: str, sha256: str, output: Path) -> None:
    """The file at an http(s) address, through the proxy that the environment names, if it names one.

    VisnerError where the server doesn't give it, the answer breaks off, or its bytes have another sha256; what was
    at `output` before then stays.
    """
    if not url.startswith(("http://", "https://")):
        raise VisnerError(f"{url}: an address must begin with http:// or https://")
    digest, received = hashlib.sha256(), 0
    with tables.atomic_path(output) as temporary:
        try:
            with build_opener().open(url, timeout=TIMEOUT) as answer, open(temporary, "wb") as file:
                length = answer.headers["Content-Length"]
                expected = None if length is None else int(length)
                with stages.progress(None, Path(output).name, total=expected, unit="B", unit_scale=True) as bar:
                    while chunk := answer.read(CHUNK):
                        file.write(chunk)
                        digest.update(chunk)
                        received += len(chunk)
                        bar.update(len(chunk))
        except (OSError, HTTPException, ValueError) as error:
            raise VisnerError(
                f"{url}: {error}; try again, or put the file in place yourself: it is checked in the same way"
            ) from None
        if expected is not None and received != expected:
            raise VisnerError(f"{url}: the answer broke off after {received:,} of {expected:,} bytes; try again")
        refuse_other_variant(url, sha256, digest.hexdigest())
    stages.log.info("%s: %s bytes, sha256 as expected", output, f"{received:,}")
