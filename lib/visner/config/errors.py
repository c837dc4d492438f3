"""What a mistake in the configuration is called: one line with its key and the choices."""

import difflib
from typing import Any, Union

from pydantic import BaseModel


def explain(error: dict, content: dict, model: type[BaseModel]) -> str:
    """One line for one pydantic error: the key as it is written in the file, the fault, the choices."""
    # pydantic's location holds the tag of a union's member ("ene"), which no file has: drop what isn't there. A tag can
    # also be the name of a key ("folder"), but then it leads to no other.
    keys, here = [], content
    for number, part in enumerate(error["loc"], start=1):
        inside = isinstance(here, dict) and part in here or isinstance(here, list) and isinstance(part, int)
        inside = inside and (number == len(error["loc"]) or isinstance(here[part], dict | list))
        if inside or part == error["loc"][-1] and error["type"] in ("missing", "extra_forbidden"):
            keys.append(str(part))
            here = here[part] if inside else None
    key = ".".join(keys)
    if error["type"] == "extra_forbidden":
        choices = sorted(_keys_at(model, error["loc"][:-1]))
        return f"{key}: no such key{suggest(keys[-1], choices)}"
    if error["type"] == "missing":
        return f"{key}: this key is needed"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] in ("literal_error", "enum"):
        message = f"choose from {error['ctx']['expected']}"
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        # a key's name in quotes, or that of the function that finds it, which is the key's
        key = f"{key}.{error['ctx']['discriminator'].strip(chr(39)).removesuffix('()')}"
        message = "this key is needed"
        if error["type"] == "union_tag_invalid":
            message = f"choose from {error['ctx']['expected_tags']}"
    value = error.get("input")
    return f"{key + ': ' if key else ''}{message}" + (
        "" if isinstance(value, dict | BaseModel) else f" (it is {value!r})"
    )


def _keys_at(model: Any, location: tuple) -> set[str]:
    """The keys that the model at a pydantic location below `model` has."""
    for part in location:
        if _is_model(model) and part in model.model_fields:
            model = model.model_fields[part].annotation
        model = _member(model, part)
    return set(model.model_fields) if _is_model(model) else set()


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _member(annotation: Any, part: Any) -> Any:
    """The model behind an annotation: a mapping's values, a union's member by its tag, an optional's content."""
    if _is_model(annotation):
        return annotation
    arguments = getattr(annotation, "__args__", ())
    models = []
    for argument in arguments:
        found = _member(argument, part)
        if found is not None:
            models.append(found)
    for model in models:
        for field in ("format", "source", "by", "model"):
            if field in getattr(model, "model_fields", {}) and part in getattr(
                model.model_fields[field].annotation, "__args__", ()
            ):
                return model
    if len(models) > 1:
        return Union[tuple(models)]
    return models[0] if models else None


def suggest(name: str, choices: Any) -> str:
    """`; did you mean x? choose from x, y`, as far as there is anything to choose."""
    near = difflib.get_close_matches(str(name), [str(choice) for choice in choices], 1)
    listed = ", ".join(map(str, choices))
    guess = f"did you mean {near[0]}? " if near else ""
    return f"; {guess}choose from {listed}" if listed else ""
