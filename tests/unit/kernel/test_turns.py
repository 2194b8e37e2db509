"""Turns of requests: one at a time, and nobody waits for who waits for something else."""

import threading

import pytest

from pilvi.kernel.turns import Turns

SOON_S = 10.0


def other(work: object) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_one_at_a_time() -> None:
    turns, inside, most, lock = Turns(), [0], [0], threading.Lock()

    def work() -> None:
        for _ in range(200):
            with turns:
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with lock:
                    inside[0] -= 1

    threads = [other(work) for _ in range(4)]
    for thread in threads:
        thread.join(SOON_S)
    assert (inside[0], most[0]) == (0, 1)


def test_who_puts_the_turn_down_lets_others_go_on_and_takes_it_again() -> None:
    turns, was_here = Turns(), threading.Event()

    def work() -> None:
        with turns:
            was_here.set()

    with turns:
        with turns.put_down():
            other(work)
            assert was_here.wait(SOON_S)
        was_here.clear()
        late = other(work)
        assert not was_here.is_set()
    late.join(SOON_S)
    assert was_here.is_set()


def test_a_failure_gives_the_turn_back() -> None:
    turns = Turns()
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), turns:
            raise ValueError("inside")
        with pytest.raises(ValueError, match="down"), turns, turns.put_down():
            raise ValueError("down")


def test_without_a_turn_there_is_none_to_put_down() -> None:
    turns = Turns()
    with turns.put_down(), turns:
        pass
