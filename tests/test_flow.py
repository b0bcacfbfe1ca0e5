"""Works beside others: in their order, and none of their errors is lost."""

import threading
from functools import partial

import pytest

from exams.intake.flow import Aside, ahead, one_thread


def fail():
    raise ValueError("The third work fails.")


def test_works_aside_are_done_in_their_order_in_a_thread_of_their_own():
    aside, done, threads = Aside(), [], set()
    for number in range(20):
        aside.do(partial(done.append, number))
        aside.do(lambda: threads.add(threading.get_ident()))
    aside.finish()
    assert done == list(range(20))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_where_one_thread_is_wanted_each_work_is_done_at_once():
    aside, threads = Aside(), []
    with one_thread():
        aside.do(lambda: threads.append(threading.get_ident()))
        assert threads == [threading.get_ident()]
        with pytest.raises(ValueError, match="third"):
            aside.do(fail)


@pytest.mark.parametrize("after", [0, 1, 10])
def test_an_error_of_a_work_aside_is_raised_at_a_later_one_or_at_the_end(after):
    aside = Aside()
    aside.do(fail)
    with pytest.raises(ValueError, match="third"):
        for _ in range(after):
            aside.do(list)
        aside.finish()


@pytest.mark.parametrize("most", [1, 16])
def test_what_is_made_ahead_comes_in_its_order_and_its_error_after_it(most):
    def items():
        yield from range(30)
        fail()

    taken = []
    with pytest.raises(ValueError, match="third"):
        for item in ahead(items(), most):
            taken.append(item)
    assert taken == list(range(30))
