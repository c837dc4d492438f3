"""A trained experiment that can tag: where its project is, its recipes, whether its files are those of its training."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from visner import config
from visner.config.base import below
from visner.config.errors import suggest
from visner.config.groundings import Grounding
from visner.errors import VisnerError
from visner.runtime import tables
from visner.runtime.provenance import sha256_file

MODEL = "model.safetensors"


class Trained:
    """`results/{experiment}`, and one of its seeds: `seed`, the one that the path names, or the best on dev.

    `given` is the experiment's folder, or that of a seed, or a seed's model. Links are followed as far as the project:
    results/ may be a link to another disk, and any folder may be linked from elsewhere.
    Raises VisnerError where it can't tag raw text, a file is missing, or was made by another version of visner.
    """

    def __init__(self, given: str | Path, seed: int | None = None):
        self.folder, named = _locate(Path(given))
        if None not in (seed, named) and seed != named:
            raise VisnerError(f"{given} is seed {named}, and seed {seed} is asked for: leave one of them out")
        self.results = self.folder.parent
        self.project = self.results.parent
        file = self.folder / "system.json"
        system = tables.read_json(file)
        self.name = self.folder.name
        try:
            content = system["config"]
            ((self.name, recipe),) = content["experiments"].items()
            images = content["groundings"].get(recipe["grounding"], {}).get("images")
            if images and system.get("crawl"):
                content["images"][images]["crawl"] = system["crawl"]
            self.config = config.load(content)
            self.root = self.project / system["root"]
            self.store = below(self.root, system["store"])
        except (VisnerError, AttributeError, KeyError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, VisnerError) else f"{type(error).__name__}: {error}"
            reason = reason.splitlines()[0].removeprefix("configuration: ")
            raise VisnerError(f"{file}: made by another version of visner ({reason}); {self.again}") from None
        self.recipe = self.config.experiments[self.name]
        self._refuse(given)
        self.seed = self._choose(seed if named is None else named)
        self.model = self.folder / f"seed{self.seed}" / MODEL
        history = tables.read_json(self.model.with_name("training.json"))
        self._sums = history.get("provenance", {}).get("tables", {})

    @property
    def grounding(self) -> Grounding | None:
        """What its units see, if it sees pictures."""
        return self.config.groundings[self.recipe.grounding] if self.recipe.grounding else None

    @property
    def again(self) -> str:
        """The remedy where the experiment was made by another version."""
        return f"run it again in {self.project} (snakemake --cores all results/{self.name}/scores.json)"

    def make(self, path: Path) -> str:
        """The remedy where a file is missing: Snakemake doesn't see that, as long as what was made from it is there."""
        return f"make it again in {self.project} (snakemake --cores all {path.relative_to(self.project)})"

    def check(self, name: str, path: Path) -> None:
        """VisnerError where a file isn't the one that the training kept the digest of, as `name`."""
        if name not in self._sums:
            raise VisnerError(f"{self.model}: an older version trained it and kept no digest of {path}; {self.again}")
        if not path.exists():
            raise VisnerError(f"{path}: no such file; {self.make(path)}")
        if sha256_file(path) != self._sums[name]:
            raise VisnerError(
                f"{path}: made again since seed {self.seed} was trained with it; train again in {self.project} "
                f"(snakemake --cores all results/{self.name}/scores.json -R ner_train)"
            )

    def _refuse(self, given: str | Path) -> None:
        if self.recipe.model != "bilstm_crf":
            raise VisnerError(f"{given}: it is a {self.recipe.model}, and only a bilstm_crf can tag raw text as yet")
        grounding = self.grounding
        if grounding and grounding.by != "query":
            raise VisnerError(f"{given}: its units see pictures by {grounding.by}, and raw text has queries only")
        if grounding and grounding.control:
            raise VisnerError(f"{given}: the control `{grounding.control}` has no pictures of its own to tag with")
        if self.config.corpora[self.recipe.corpus].of_tokens:
            raise VisnerError(f"{given}: it labels tokens, and only systems that label characters can tag raw text")
        if not _in_project(self.folder):
            raise VisnerError(
                f"{given}: no project around it: a tagger needs all of results/, and resources/ beside it"
            )

    def _choose(self, seed: int | None) -> int:
        there = sorted(int(path.parent.name[4:]) for path in self.folder.glob(f"seed[0-9]*/{MODEL}"))
        configured = self.recipe.seeds if seed is None else [seed]
        missing = [one for one in configured if one not in there]
        if not missing:
            return best_seed(self.folder, configured) if seed is None else seed
        listed = ", ".join(map(str, there))
        if there and seed is not None:
            raise VisnerError(f"{self.folder}: there is no seed {seed}; choose from {listed}")
        model = self.folder / f"seed{missing[0]}" / MODEL
        choices = f"choose a seed that is there ({listed}), or " if there else ""
        raise VisnerError(f"{model}: no such file; {choices}{self.make(model)}")


def best_seed(folder: Path, seeds: Sequence[int]) -> int:
    """The seed with the highest dev F1; the first of equals, as in scores.json."""
    reports = {seed: tables.read_json(folder / f"seed{seed}" / "training.json") for seed in seeds}
    return max(seeds, key=lambda seed: max(reports[seed]["dev_f1"]))


def _locate(given: Path) -> tuple[Path, int | None]:
    """The experiment's folder by the name that is in its project, and the seed that the path names."""
    found = []
    for place in _places(given):
        seed_folder = place.parent if place.name == MODEL else place
        named = re.fullmatch(r"seed(\d+)", seed_folder.name)
        for folder, seed in ((place, None), (seed_folder.parent, named and int(named[1]))):
            if (folder / "system.json").is_file():
                found.append((folder, seed))
    if found:  # a link's own place has no project around it
        return next((one for one in found if _in_project(one[0])), found[0])
    choices = sorted(path.parent.name for path in given.parent.glob("*/system.json"))
    raise VisnerError(
        f"{given / 'system.json'}: no such file; give the folder of an experiment that has scores, "
        f"results/EXPERIMENT{suggest(given.name, choices)}"
    )


def _in_project(folder: Path) -> bool:
    return (folder.parent / "corpora").is_dir()


def _places(given: Path) -> Iterator[Path]:
    """The path as it was written, without the links in it being followed, and each that it links to."""
    here = os.environ.get("PWD", "")  # a shell's, which says by which links it came here
    if not (here and os.path.isdir(here) and os.path.samefile(here, os.curdir)):
        here = os.getcwd()
    place = Path(os.path.abspath(os.path.join(here, given)))
    yield place
    while place.is_symlink():
        place = Path(os.path.abspath(place.parent / os.readlink(place)))
        yield place
    yield place.resolve()
