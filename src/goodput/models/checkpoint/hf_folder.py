"""A Hugging Face folder (``config.json`` and safetensors, sharded or not) as a Checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint import gemma3
from goodput.models.checkpoint.base import FloatArray, FourBitWeights
from goodput.models.checkpoint.fingerprint import fingerprint_files
from goodput.models.checkpoint.hf_config import read_hf_config
from goodput.models.checkpoint.json_files import read_object
from goodput.models.checkpoint.safetensors_file import SafetensorsFile

INDEX_NAME = "model.safetensors.index.json"


class HuggingFaceFolder:
    """Implements :class:`~goodput.models.checkpoint.base.Checkpoint` over a folder.

    Raises CheckpointError on construction when a file is missing, damaged or not supported.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder
        shards = {path: SafetensorsFile(path) for path in _shard_paths(folder)}
        self._holder = {name: shard for shard in shards.values() for name in shard.entries}
        self._files = [folder / "config.json", *shards]
        self.config = read_hf_config(
            folder / "config.json", has_lm_head="lm_head.weight" in self._holder
        )
        if self.config.tie_embeddings:
            # Some exporters write the shared matrix twice; one name for it is the contract.
            self._holder.pop("lm_head.weight", None)

    @property
    def fingerprint(self) -> str:
        return fingerprint_files(self._files)

    def names(self) -> Iterator[str]:
        return iter(self._holder)

    def tensor(self, name: str) -> FloatArray:
        holder = self._holder.get(name)
        if holder is None:
            raise CheckpointError(f"{self.path}: the tensor {name} is missing")
        values = holder.tensor(name)
        if self.config.architecture == gemma3.MODEL_TYPE and name.endswith("norm.weight"):
            values += 1.0  # what Gemma's norms multiply by (see gemma3.py)
        return values

    def four_bit(self, name: str) -> FourBitWeights | None:
        return None


def _shard_paths(folder: Path) -> list[Path]:
    index_path = folder / INDEX_NAME
    if index_path.exists():
        weight_map = read_object(index_path).get("weight_map")
        if not isinstance(weight_map, dict) or not weight_map:
            raise CheckpointError(f"{index_path} has no weight_map")
        names = sorted({str(name) for name in weight_map.values()})
        for name in names:
            if Path(name).name != name or not name.endswith(".safetensors"):
                raise CheckpointError(f"{index_path} names {name!r}, not a shard of this folder")
        return [folder / name for name in names]
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        raise CheckpointError(f"{folder} holds no .safetensors file")
    return found
