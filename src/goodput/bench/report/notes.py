"""What is worth a sentence about a run."""

from __future__ import annotations

from goodput.bench.report.causes import cause_in_words
from goodput.bench.summary import BenchSummary, StepSummary


def conclusions(summary: BenchSummary) -> list[str]:
    """What the verb found, in its own words."""
    found = (summary.search, summary.sweep, summary.compare)
    return [result.words for result in found if result is not None and result.words]


def step_notes(summary: BenchSummary) -> list[str]:
    """A line for each remarkable thing of each step, named where there are several."""
    several = len(summary.steps) > 1
    return [
        f"at {step.label} {line}" if several else line
        for step in summary.steps
        for line in _notes(step)
    ]


def verdict(summary: BenchSummary) -> str:
    """Why a valid run may be believed."""
    late = max((step.figures.late.p99 for step in summary.steps if step.figures.late), default=0.0)
    cpu = max((step.client_cpu_share for step in summary.steps), default=0.0)
    return (
        f"Valid run: requests left {late * 1e3:.1f} ms late (p99); "
        f"the client used {cpu:.0%} of a core."
    )


def promise(summary: BenchSummary) -> str:
    """The SLO in words, with multiples of the unloaded latency where that was measured."""
    slos = {str(step.figures.slo): step.figures.slo for step in summary.steps}
    slo = next(iter(slos.values()), None)
    if len(slos) != 1 or slo is None:
        return "each request's own bounds"
    multiples = [
        f"{name.upper()} {factor:.3g}×"
        for endpoint in summary.endpoints[:1]
        if len(endpoint.unloaded) == 1
        for alone in endpoint.unloaded.values()
        for name, factor in alone.multiples(slo).items()
    ]
    return f"{slo}" + (f" ({', '.join(multiples)} unloaded)" if multiples else "")


def _notes(step: StepSummary) -> list[str]:
    figures = step.figures
    lines = []
    if figures.blame:
        causes = ", ".join(
            f"{cause_in_words(cause)} {count}" for cause, count in figures.blame.items()
        )
        lines.append(f"misses lost their time in: {causes}")
    if figures.prompt_tokens and figures.cached_tokens:
        part = figures.cached_tokens / figures.prompt_tokens
        lines.append(f"prompt tokens from the server's prefix cache: {part:.0%}")
    if figures.token_sources.get("chunks"):
        lines.append("tokens were counted by chunks: the server reports no usage")
    if not step.drained:
        lines.append(f"not all requests ended within {step.drain_s:g} s after the window")
    return lines
