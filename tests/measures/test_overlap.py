"""Correlations of two layers: NumPy's values, constants, one student for each teacher node."""

from itertools import permutations

import numpy as np
import pytest
import torch

from ssl_dynamics.measures import (
    best_students,
    correlation_matrix,
    coverage,
    matched_correlation,
    one_to_one,
)


def layers(seed=0, shape=(2, 50, 4), others=3):
    g = torch.Generator().manual_seed(seed)
    student = torch.randn(shape, generator=g, dtype=torch.float64)
    return student, torch.randn((*shape[:2], others), generator=g, dtype=torch.float64)


def test_the_matrix_is_that_of_numpy_and_ignores_scale_and_mean():
    student, teacher = layers()
    found = correlation_matrix(3 * student + 7, teacher - 2)
    for seed in range(2):
        wanted = np.corrcoef(student[seed].T, teacher[seed].T)[:4, 4:]
        np.testing.assert_allclose(found[seed], wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_collapsed_node_has_correlation_zero_and_not_one(dtype):
    student, teacher = (t.to(dtype) for t in layers())
    student[..., 1] = 0.1
    student[..., 2] = 0.1 + 1e-9 * teacher[..., 0] if dtype == torch.float32 else 0.0
    teacher[..., 2] = 5.0
    found = correlation_matrix(student, teacher)
    assert found.dtype == torch.float64
    assert (found[:, 1:3] == 0).all()
    assert (found[..., 2] == 0).all()
    assert (found[:, [0, 3], :2] != 0).all()


def test_an_equal_node_has_correlation_one_and_not_more():
    student, _ = layers()
    own = correlation_matrix(student.float(), student.float()).diagonal(dim1=-2, dim2=-1)
    assert (own <= 1).all()
    torch.testing.assert_close(own, torch.ones(2, 4).double(), rtol=0, atol=1e-6)


def test_every_teacher_node_gets_a_student_of_its_own_with_the_largest_sum():
    student, teacher = layers(3)
    found = correlation_matrix(student, teacher)
    place = one_to_one(found)
    for seed in range(2):
        best = max(sum(found[seed, p[k], k] for k in range(3)) for p in permutations(range(4), 3))
        assert len(set(place[seed].tolist())) == 3
        assert matched_correlation(found)[seed].sum() == pytest.approx(best.item())
    assert (matched_correlation(found) <= best_students(found)).all()


def test_teachers_without_a_student_count_as_not_covered():
    correlation = torch.tensor([[[0.99, 0.98, 0.1]]], dtype=torch.float64)
    assert one_to_one(correlation).tolist() == [[0, -1, -1]]
    assert matched_correlation(correlation).tolist() == [[0.99, 0.0, 0.0]]
    assert coverage(correlation).tolist() == pytest.approx([2 / 3])
    assert coverage(correlation, alone=True).tolist() == pytest.approx([1 / 3])
    assert coverage(correlation, 0.985).tolist() == pytest.approx([1 / 3])


def test_other_samples_are_refused():
    with pytest.raises(ValueError, match="same seeds and samples"):
        correlation_matrix(torch.zeros(1, 5, 2), torch.zeros(1, 6, 2))
