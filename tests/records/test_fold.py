"""The interval tree behind as-of reads, against brute force."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clearway.records.fold import fork_node, path_nodes

SEQ = st.integers(1, 4096)


@given(first=SEQ, length=st.integers(0, 500))
def test_the_fork_lies_inside_and_on_top(first: int, length: int) -> None:
    """The node is in the interval, and no number of the interval has more trailing zeros."""

    def height(number: int) -> int:
        return (number & -number).bit_length()

    last = first + length
    node = fork_node(first, last)
    assert first <= node <= last
    assert height(node) == max(height(n) for n in range(first, last + 1))


@given(intervals=st.lists(st.tuples(SEQ, st.integers(1, 300)), min_size=1, max_size=40), seq=SEQ)
def test_a_stab_finds_exactly_the_intervals_that_hold_it(intervals: list[tuple[int, int]], seq: int) -> None:
    """Intervals [first, end) found through the path of nodes are those that brute force finds."""
    stored = [(first, first + length, fork_node(first, first + length - 1)) for first, length in intervals]
    left, right = path_nodes(seq, (4096 + 300).bit_length())
    found = [
        (first, end)
        for first, end, node in stored
        if (node in left and end > seq) or (node in right and first <= seq)
    ]
    assert sorted(found) == sorted((first, end) for first, end, _ in stored if first <= seq < end)
    assert len(left) + len(right) <= 14
