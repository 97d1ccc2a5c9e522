"""Networks on disk: one safetensors file, with the configuration in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from torch import Tensor, nn

from goodput.core.errors import UsageError
from goodput.core.files import write_atomically

SCHEMA: Final = "goodput.film/1"
_LARGEST_FILE: Final = 4 << 30

Config = TypeVar("Config", bound=msgspec.Struct)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write ``tensors`` with ``facts`` (plain JSON) in the header, whole or not at all."""
    from safetensors.torch import save

    header = {"goodput": json.dumps({"schema": SCHEMA, **facts}, sort_keys=True)}
    plain = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, save(plain, metadata=header))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file that ``write_tensors`` wrote, and its facts.

    Raises UsageError that names the file when it is missing, broken, too large or something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UsageError(f"{path} is larger than {_LARGEST_FILE >> 30} GiB")
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            facts = json.loads(header.get("goodput", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except (SafetensorError, ValueError) as error:
        raise UsageError(f"{path} is broken: {error}") from None
    if facts.get("schema") != SCHEMA:
        raise UsageError(f"{path} is not a file of {SCHEMA}, but of {facts.get('schema')}")
    return tensors, facts


def write_network(path: Path, network: nn.Module, config: msgspec.Struct, **facts: Any) -> None:
    """Write a network with its configuration, in half precision: half the size, 3 exact digits."""
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    write_tensors(path, tensors, {"config": msgspec.to_builtins(config), **facts})


def config_in(facts: Mapping[str, Any], kind: type[Config], path: Path) -> Config:
    """The configuration in the facts of the file at ``path``."""
    try:
        return msgspec.convert(facts.get("config"), kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} has no configuration of a {kind.__name__}: {error}") from None


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put the tensors of the file at ``path`` into ``network``, as float32.

    Raises UsageError when they are not this network's.
    """
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise UsageError(f"{path} holds another network: {first}") from None
