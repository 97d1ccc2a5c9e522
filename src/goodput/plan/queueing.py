"""Closed forms of queueing theory: what a simulation must agree with, and bounds for a search.

Poisson arrivals at ``rate`` per second, first come first served. Waits exclude the service itself;
an unstable queue waits for ever (``math.inf``).

Sources: Pollaczek and Khinchine for M/G/1; Erlang (1917) for M/M/c; Crommelin (1932) for M/D/c's
state probabilities; Franx, "A simple solution for the M/D/c waiting time distribution" (Operations
Research Letters 29, 2001); DistServe (arXiv 2401.09670), section 3.1, for the two TTFT formulas.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float64]

# Beyond so many decimal digits of a geometric tail, probabilities are taken to be zero.
_TAIL_DIGITS = 14
_MOST_STATES = 1 << 20


def mg1_wait_s(rate: float, mean_s: float, second_moment_s2: float) -> float:
    """Mean wait of one server whose service times have these first two moments."""
    load = rate * mean_s
    return rate * second_moment_s2 / (2 * (1 - load)) if load < 1 else math.inf


def md1_wait_s(rate: float, service_s: float) -> float:
    """Mean wait of one server whose services all take ``service_s``."""
    return mg1_wait_s(rate, service_s, service_s**2)


def mm1_wait_s(rate: float, mean_s: float) -> float:
    """Mean wait of one server with exponential services of mean ``mean_s``."""
    return mg1_wait_s(rate, mean_s, 2 * mean_s**2)


def erlang_c(servers: int, offered: float) -> float:
    """The chance that a customer of M/M/c waits; ``offered`` is rate times mean service."""
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for server in range(1, servers + 1):  # Erlang B by its recursion, which cannot overflow.
        blocked = offered * blocked / (server + offered * blocked)
    return servers * blocked / (servers - offered * (1 - blocked))


def mmc_wait_s(rate: float, mean_s: float, servers: int) -> float:
    """Mean wait before ``servers`` servers with exponential services of mean ``mean_s``."""
    offered = rate * mean_s
    if offered >= servers:
        return math.inf
    return erlang_c(servers, offered) * mean_s / (servers - offered)


def mmc_wait_at_most(seconds: float, rate: float, mean_s: float, servers: int) -> float:
    """The chance that a customer of M/M/c waits ``seconds`` (>= 0) or less."""
    offered = rate * mean_s
    if offered >= servers:
        return 0.0
    drain = (servers - offered) / mean_s
    return 1 - erlang_c(servers, offered) * math.exp(-drain * seconds)


def mdc_wait_s(rate: float, service_s: float, servers: int) -> float:
    """Mean wait before ``servers`` servers whose services all take ``service_s``.

    Everybody in service now has left a service time later, so the number in the system obeys
    X' = max(X - c, 0) + Poisson(c·load) from one service time to the next. The mean of that chain
    follows from its generating function (Crommelin), and the wait from it by Little's law.
    """
    offered = rate * service_s
    if offered >= servers:
        return math.inf
    in_queue = (offered**2 - servers * (servers - 1)) / (2 * (servers - offered))
    in_queue += sum((1 / (1 - root)).real for root in _roots(offered, servers))
    return in_queue / rate


def mdc_wait_at_most(seconds: float, rate: float, service_s: float, servers: int) -> float:
    """The chance that a customer of M/D/c waits ``seconds`` (>= 0) or less (Franx's formula).

    Looking back from the end of the wait by whole service times, every server begins exactly one
    service in each: the customer has begun if those before it were fewer than what was begun.
    """
    offered = rate * service_s
    if offered >= servers:
        return 0.0
    begun = math.floor(seconds / service_s) + 1
    arrivals = rate * (begun * service_s - seconds)
    places = begun * servers
    at_most = np.cumsum(mdc_state_probabilities(rate, service_s, servers))
    queued = np.minimum(np.arange(places)[::-1] + servers, at_most.size - 1)
    return float(np.dot(_poisson(arrivals, places), at_most[queued]))


def mdc_state_probabilities(rate: float, service_s: float, servers: int) -> Probabilities:
    """How likely 0, 1, 2, … customers are in a stable M/D/c; shape (states,), it sums to 1.

    Crommelin's generating function is evaluated on the unit circle and transformed back.
    """
    offered = rate * service_s
    if not 0 < offered < servers:
        raise ValueError(f"M/D/{servers} has no steady state at an offered load of {offered}")
    states = 1 << math.ceil(math.log2(_states(offered, servers)))
    # Half a step off the real axis, because the function is 0/0 at 1.
    circle = np.exp(2j * np.pi * (np.arange(states) + 0.5) / states)
    arrivals = np.exp(offered * (circle - 1))
    values = (servers - offered) * (circle - 1) * arrivals / (circle**servers - arrivals)
    for root in _roots(offered, servers):
        values = values * (circle - root) / (1 - root)
    turned = np.exp(-1j * np.pi * np.arange(states) / states)
    return np.asarray(np.clip((np.fft.fft(values) / states * turned).real, 0.0, 1.0))


def intra_op_ttft_s(rate: float, prefill_s: float, speedup: float) -> float:
    """Mean TTFT when tensor parallelism makes each prefill ``speedup`` times faster.

    D/K + R·D²/(2K(K − R·D)): an M/D/1 queue of services D/K.
    """
    service_s = prefill_s / speedup
    return service_s + md1_wait_s(rate, service_s)


def inter_op_ttft_s(rate: float, prefill_s: float, stages: int) -> float:
    """Mean TTFT when ``stages`` equal pipeline stages each do a part of a prefill.

    D + R·D²/(4(2 − R·D)) for two stages: the first one is an M/D/1 queue of services D/stages,
    and no one waits behind it. The time between stages is neglected.
    """
    return prefill_s + md1_wait_s(rate, prefill_s / stages)


def _roots(offered: float, servers: int) -> list[complex]:
    """The roots of z^c = e^(offered·(z − 1)) inside the unit circle, without 1 itself.

    z = w·e^(offered·(z − 1)/c), with w a c-th root of unity, contracts there: it is iterated.
    """
    roots = []
    for index in range(1, servers):
        turn = cmath.exp(2j * math.pi * index / servers)
        root = 0j
        for _ in range(10_000):
            closer = turn * cmath.exp(offered / servers * (root - 1))
            if abs(closer - root) < 1e-15:
                break
            root = closer
        roots.append(root)
    return roots


def _states(offered: float, servers: int) -> int:
    """How many states hold all but a negligible part of the probability.

    The tail falls by the real root of z^c = e^(offered·(z − 1)) beyond 1, found by bisection on
    its logarithm.
    """
    low, high = 0.0, 1.0
    while servers * high > offered * math.expm1(high):
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if servers * middle > offered * math.expm1(middle):
            low = middle
        else:
            high = middle
    needed = 4 * servers + _TAIL_DIGITS * math.log(10) / max(low, 1e-12)
    return min(math.ceil(needed), _MOST_STATES)


def _poisson(mean: float, terms: int) -> Probabilities:
    """The chances of 0 … terms − 1 Poisson events, by logarithms so that none overflows."""
    counts = np.arange(terms)
    if mean <= 0:
        return np.asarray(counts == 0, np.float64)
    steps = np.concatenate(([0.0], np.cumsum(np.log(counts[1:]))))
    return np.asarray(np.exp(counts * math.log(mean) - mean - steps))
