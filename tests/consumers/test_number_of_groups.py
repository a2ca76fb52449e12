"""Stability: blobs of a known number are found, and noise of any shape has no natural groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from helpers.consumers import number_of_groups


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=60))
def test_adjusted_rand_against_scikit_learn(pairs):
    one, other = map(np.array, zip(*pairs, strict=True))
    assert number_of_groups.adjusted_rand(one, other) == pytest.approx(
        adjusted_rand_score(one, other)
    )


@pytest.mark.parametrize(("k", "seed"), [(2, 0), (3, 1), (5, 0), (7, 0)])
def test_blobs_of_known_number(k, seed):
    x, _ = make_blobs(1500, 6, centers=k, random_state=seed)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    choice = number_of_groups.choice_of_k(x, n_references=3, seed=seed)
    assert number_of_groups.chosen_k(choice) == k


def clouds(n: int = 800) -> dict:
    return {
        "gaussian": lambda rng: rng.normal(size=(n, 4)),
        "correlated": lambda rng: rng.normal(size=(n, 4)) @ rng.normal(size=(4, 4)),
        "uniform": lambda rng: rng.uniform(size=(n, 2)),  # k = 4 cuts a square stably
        "skewed": lambda rng: np.log(rng.exponential(size=(n, 4))),
    }


@pytest.mark.parametrize("kind", clouds())
def test_noise_has_no_natural_groups(kind):
    for seed in range(2):
        x = clouds()[kind](np.random.default_rng(seed))
        # without references the judgement is milder, and quicker: the benchmark runs 100 seeds with
        # them
        choice = number_of_groups.choice_of_k(
            (x - x.mean(axis=0)) / x.std(axis=0), n_references=0, seed=seed
        )
        assert number_of_groups.chosen_k(choice) == 1
        assert not choice["eligible"].any()


def test_one_elongated_cloud_is_cut_stably_and_still_no_groups():
    x = np.random.default_rng(0).normal(size=(4000, 4)) * [4, 1, 1, 1]
    two = number_of_groups.choice_of_k(x, ks=[2], n_references=5).iloc[0]
    assert two["stability"] > 0.9  # what a judgement by stability alone would take for two groups
    assert not two["eligible"]
