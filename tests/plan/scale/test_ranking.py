"""The tournament against a plain list."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from goodput.plan.scale.ranking import first, key_of, new_ranking, set_key


@given(
    st.integers(1, 20).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.lists(
                st.tuples(st.integers(0, count - 1), st.sampled_from([0.5, 1, 2, 3, math.inf]))
            ),
        )
    )
)
def test_first_is_the_least_key_then_the_lowest_index(
    case: tuple[int, list[tuple[int, float]]],
) -> None:
    count, changes = case
    ranking, plain = new_ranking(count), [math.inf] * count
    for index, key in changes:
        set_key(ranking, index, key)
        plain[index] = key
        assert key_of(ranking, index) == key
        expected = plain.index(min(plain)) if min(plain) < math.inf else -1
        assert first(ranking) == expected
