"""Profiles that come along: published fits as they are, and estimates from datasheets.

:func:`named_profile` and :func:`estimated_profile` are all that the rest of the package calls.
"""

from __future__ import annotations

from goodput.core.errors import UsageError
from goodput.plan.library.accelerators import Accelerator, accelerators
from goodput.plan.library.models import ModelShape, model_shapes
from goodput.plan.library.published import ENGINES, published_models, published_profile
from goodput.plan.library.roofline import estimate
from goodput.plan.profile.schema import Profile

# A node of these is what the accelerator's own entry describes.
_NODES = {"dgx-a100": "a100", "dgx-h100": "h100", "dgx-h200": "h200", "dgx-b200": "b200"}


def profile_names() -> list[str]:
    """The published profiles, as :func:`named_profile` takes them."""
    return [f"{model}-a100-{engine}" for model in published_models() for engine in ENGINES]


def named_profile(name: str) -> Profile:
    """A published profile like ``opt-13b-a100-distserve``; UsageError lists the names there are."""
    for engine in ENGINES:
        model, found, _ = name.partition(f"-a100-{engine}")
        if found and model in published_models():
            return published_profile(model, engine)
    names = ", ".join(profile_names())
    raise UsageError(
        f"there is no profile {name!r}: give a file, one of {names}, or --accelerator and --model"
    )


def estimated_profile(model: str, accelerator: str) -> Profile:
    """What ``model`` would do on ``accelerator`` by roofline: an estimate with wide bounds.

    Raises UsageError that lists the names there are, or says that the model does not fit.
    """
    return estimate(find_model(model), find_accelerator(accelerator))


def find_model(name: str) -> ModelShape:
    """The shape of a model by its name; UsageError lists the names there are."""
    shapes = model_shapes()
    if name not in shapes:
        raise UsageError(f"--model knows no {name!r}; it knows {', '.join(sorted(shapes))}")
    return shapes[name]


def find_accelerator(name: str) -> Accelerator:
    """An accelerator by its own name or its node's; UsageError lists the names there are."""
    known = accelerators()
    plain = _NODES.get(name.lower(), name.lower())
    if plain not in known:
        names = ", ".join([*sorted(known), *sorted(_NODES)])
        raise UsageError(f"--accelerator knows no {name!r}; it knows {names}")
    return known[plain]
