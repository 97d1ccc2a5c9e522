"""How a model is asked: what is the same for every move of an episode."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from goodput.core.errors import UsageError
from goodput.core.slo import SLO

HarnessPart = Literal["perception", "memory", "reflection"]
HARNESS_PARTS: tuple[HarnessPart, ...] = get_args(HarnessPart)

Sight = Literal["text", "picture"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """``observe`` is what the model sees of the game. ``constrain`` asks for a choice among the
    legal actions where the server can hold the model to it. ``think`` is how many tokens of free
    thinking come before the answer (0: none), ``max_tokens`` how many an unconstrained answer may
    have. ``timeout_s`` bounds a whole decision, all calls together. ``slo`` is sent with each
    request: what Goodput's scheduler should promise it.
    """

    observe: Sight = "text"
    constrain: bool = True
    think: int = 0
    max_tokens: int = 64
    temperature: float = 0.0
    timeout_s: float = 30.0
    harness: tuple[HarnessPart, ...] = ()
    slo: SLO | None = None

    def check(self) -> None:
        """Raise UsageError that names the setting which cannot work."""
        if self.observe not in get_args(Sight):
            raise UsageError(f"observe must be 'text' or 'picture', not {self.observe!r}")
        if self.think < 0:
            raise UsageError(f"think must be a number of tokens, at least 0, not {self.think}")
        if self.max_tokens < 1:
            raise UsageError(f"max_tokens must be at least 1, not {self.max_tokens}")
        if not 0 <= self.temperature <= 2:
            raise UsageError(f"temperature must lie in 0 to 2, not {self.temperature:g}")
        if not 0 < self.timeout_s < float("inf"):
            raise UsageError(f"timeout must be a positive time, not {self.timeout_s:g} s")
        for part in self.harness:
            if part not in HARNESS_PARTS:
                known = ", ".join(HARNESS_PARTS)
                raise UsageError(f"harness has no part {part!r}: its parts are {known}")

    def words(self) -> str:
        """What differs from the defaults, for the board: " +memory think=64"; else empty."""
        plain = Settings()
        said = [f"+{part}" for part in HARNESS_PARTS if part in self.harness]
        said += [
            f"{name}={getattr(self, name):g}"
            for name in ("think", "max_tokens", "temperature", "timeout_s")
            if getattr(self, name) != getattr(plain, name)
        ]
        if self.observe != plain.observe:
            said.append(self.observe)
        if not self.constrain:
            said.append("free")
        if self.slo is not None:
            said.append(f"slo={_bounds(self.slo)}")
        return "".join(f" {word}" for word in said)


def _bounds(slo: SLO) -> str:
    """An SLO in few letters, as on the command line: "ttft=400ms,tpot=50ms"."""
    bounds = {"ttft": slo.ttft, "tpot": slo.tpot, "e2e": slo.e2e}
    return ",".join(f"{name}={s * 1e3:g}ms" for name, s in bounds.items() if s is not None)
