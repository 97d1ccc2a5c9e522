"""Processes are started for what is worth it, keep order, and never outlive their work."""

import multiprocessing

import pytest

from goodput.plan.search.crew import Crew


def test_results_are_in_order_with_and_without_processes() -> None:
    for processes in (1, 2):
        with Crew(processes) as crew:
            crew.prepare(1000)
            assert list(crew.each(abs, [-3, 1, -2])) == [3, 1, 2]
    assert not multiprocessing.active_children()


def test_little_work_starts_no_process() -> None:
    with Crew(2) as crew:
        crew.prepare(10)
        assert list(crew.each(abs, [-1])) == [1]
        assert not multiprocessing.active_children()


def test_an_interrupt_leaves_no_process_behind() -> None:
    with pytest.raises(KeyboardInterrupt), Crew(2) as crew:
        crew.prepare(1000)
        assert list(crew.each(abs, [-1])) == [1]
        assert multiprocessing.active_children()
        raise KeyboardInterrupt
    assert not multiprocessing.active_children()
