"""Normalisation against PyTorch's and timm's own layers, closed forms, and the sources' worked examples."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.layers.grn import GlobalResponseNorm
from torch import nn

from explorer.labs.normalisation.tensors import (
    NORMS,
    batch_means,
    batch_noise,
    expected_running,
    normal_pictures,
    normalise,
    random_maps,
    response,
    running,
    running_noise,
    sets,
    shared,
    standardise,
    worked,
)

SHAPE = (4, 8, 6, 5)


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1)) * 3 + 2


def last(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1)


def first(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 1, 2)


ORACLES = {
    "Batch": lambda x: F.batch_norm(x, None, None, training=True),
    "Layer": lambda x: F.layer_norm(x, x.shape[1:]),
    "Layer, by position": lambda x: first(F.layer_norm(last(x), x.shape[1:2])),
    "Instance": F.instance_norm,
    "Group": lambda x: F.group_norm(x, 4),
    "RMS, by position": lambda x: first(F.rms_norm(last(x), x.shape[1:2], eps=1e-5)),
}


@pytest.mark.parametrize("name", ORACLES)
def test_every_norm_equals_pytorch(name, x):
    torch.testing.assert_close(normalise(x, NORMS[name], groups=4), ORACLES[name](x), atol=2e-6, rtol=1e-5)


def test_every_norm_has_an_oracle():
    assert set(NORMS) == {*ORACLES, "GRN"}


def test_global_response_norm_equals_timm(x):
    layer = GlobalResponseNorm(8, channels_last=False)
    nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(2))
    nn.init.normal_(layer.bias, generator=torch.Generator().manual_seed(3))
    ours = layer.weight.view(1, -1, 1, 1) * response(x) + layer.bias.view(1, -1, 1, 1) + x
    torch.testing.assert_close(layer(x), ours)


def test_group_norm_with_one_group_is_layer_norm_and_with_every_channel_instance_norm(x):
    torch.testing.assert_close(normalise(x, NORMS["Group"], 1), normalise(x, NORMS["Layer"]))
    torch.testing.assert_close(normalise(x, NORMS["Group"], 8), normalise(x, NORMS["Instance"]))


@pytest.mark.parametrize("name", NORMS)
def test_the_picture_shows_just_the_cells_that_have_a_say(name, x):
    """The gradient of one normalised cell reaches every cell that shares its statistic, and no other."""
    cell = (1, 5, 2, 3)
    leaf = x.clone().requires_grad_()
    normalise(leaf, NORMS[name], groups=4)[cell].backward()
    reached = (leaf.grad != 0).numpy()
    np.testing.assert_array_equal(reached, shared(NORMS[name], SHAPE, cell, 4) > 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Batch", (8, 4 * 30)),
        ("Layer", (4, 8 * 30)),
        ("Layer, by position", (4 * 30, 8)),
        ("Instance", (4 * 8, 30)),
        ("Group", (4 * 4, 2 * 30)),
        ("RMS, by position", (4 * 30, 8)),
        ("GRN", (4 * 8, 30)),
    ],
)
def test_how_many_statistics_there_are(name, expected):
    assert sets(NORMS[name], SHAPE, 4) == expected
    assert (shared(NORMS[name], SHAPE, (0, 0, 0, 0), 4) == 2).sum() == expected[1]


@pytest.mark.parametrize("name", NORMS)
def test_only_batch_norm_listens_to_the_other_pictures(name, x):
    """000, 7.3, calls layer norm less stable with small batches: it does not look at the batch at all."""
    alone = normalise(x[:1], NORMS[name], groups=4)
    in_company = normalise(x, NORMS[name], groups=4)[:1]
    assert torch.allclose(alone, in_company, atol=1e-6) == (not NORMS[name].needs_batch)
    assert NORMS[name].needs_batch == (name == "Batch")


def test_the_worked_example_of_002_and_its_rounding():
    steps = worked((2, 4, 6, 8), gamma=2, beta=1)
    assert (steps.mean, steps.variance) == (5, 5)
    assert [round(v, 2) for v in steps.normalised] == [-1.34, -0.45, 0.45, 1.34]
    assert steps.output == pytest.approx((-1.683279, 0.105574, 1.894426, 3.683279), abs=1e-6)
    printed = [-1.68, 0.10, 1.90, 3.68]
    assert [round(v, 2) for v in steps.output] == [-1.68, 0.11, 1.89, 3.68] != printed
    early = worked((2, 4, 6, 8), gamma=2, beta=1, digits=2)  # what the source did
    assert [round(v, 2) for v in early.output] == printed
    assert steps.unbiased == pytest.approx(20 / 3)


def test_the_worked_example_equals_pytorch():
    layer = nn.BatchNorm1d(1, momentum=1.0)
    nn.init.constant_(layer.weight, 2)
    nn.init.constant_(layer.bias, 1)
    out = layer(torch.tensor([[2.0], [4.0], [6.0], [8.0]])).flatten().tolist()
    steps = worked((2, 4, 6, 8), 2, 1)
    assert out == pytest.approx(steps.output, abs=1e-6)
    assert float(layer.running_mean) == pytest.approx(steps.mean)
    assert float(layer.running_var) == pytest.approx(steps.unbiased)  # over n - 1, not the 5 of the example


def test_gamma_and_beta_undo_the_norm_but_for_epsilon():
    """002 says gamma = sigma gives the identity; exactly it takes the root with epsilon in it."""
    values = (2.0, 4.0, 6.0, 8.0)
    exactly = worked(values, gamma=math.sqrt(5 + 1e-5), beta=5).output
    nearly = worked(values, gamma=math.sqrt(5), beta=5).output
    assert exactly == pytest.approx(values, abs=1e-12)
    assert max(abs(a - b) for a, b in zip(nearly, values, strict=True)) == pytest.approx(3e-6, rel=0.01)


def test_one_number_has_no_variance_but_one_picture_has():
    """002: evaluating with a batch of one gives zero variance and breaks everything. So it is with one number
    a channel, where PyTorch refuses; a map has H x W numbers.
    """
    assert worked((7,), 2, 1).output == (1,)
    assert math.isnan(worked((7,), 2, 1).unbiased)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        nn.BatchNorm2d(3)(torch.randn(1, 3, 1, 1))
    one_picture = nn.BatchNorm2d(3)(torch.randn(1, 3, 8, 8))
    torch.testing.assert_close(one_picture.var((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)


def test_batch_norm_runs_over_positions_too():
    """000, 4.4, writes the mean as 1/N over the pictures: on maps that is another number."""
    x = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    ours, over_n = standardise(x, (0, 2, 3)), standardise(x, (0,))
    torch.testing.assert_close(ours, F.batch_norm(x, None, None, training=True), atol=2e-6, rtol=1e-5)
    assert (ours - over_n).abs().max() > 0.5


def test_the_sources_grn_lacks_gamma_beta_and_the_skip():
    """000, 4: x ||x|| / mean ||x||. A fresh layer has gamma = beta = 0 and hands its input on."""
    x = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    layer = GlobalResponseNorm(4, channels_last=False)
    assert torch.equal(layer(x), x)
    assert (response(x) - x).abs().max() > 0.1


def test_running_statistics_are_of_fixed_size():
    """000, 8: two numbers a channel, whatever the picture; layer norm keeps none."""
    kept = {name: b.numel() for name, b in nn.BatchNorm2d(64).named_buffers()}
    assert kept == {"running_mean": 64, "running_var": 64, "num_batches_tracked": 1}
    assert not list(nn.LayerNorm(64).buffers())


@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=8),
    st.floats(-3, 3),
    st.floats(-3, 3),
)
@settings(max_examples=60, deadline=None)
def test_mean_and_deviation_after_are_beta_and_gamma(values, gamma, beta):
    steps = worked(values, gamma, beta)
    assert np.mean(steps.output) == pytest.approx(beta, abs=1e-6)
    share = math.sqrt(steps.variance / (steps.variance + 1e-5))
    assert np.std(steps.output) == pytest.approx(abs(gamma) * share, abs=1e-6)


def test_no_number_is_said():
    with pytest.raises(ValueError, match="at least one number"):
        worked((), 1, 0)


def test_noise_falls_with_the_root_of_the_batch():
    noise = batch_noise(normal_pictures(4000, 16), (2, 8, 32, 128), draws=4000)
    assert noise.mean_error == pytest.approx(noise.independent, rel=0.06)
    assert noise.mean_error[0] / noise.mean_error[1] == pytest.approx(2, rel=0.06)
    # The variance of a batch of n normal numbers is off by sqrt(2 / n), n = pictures x positions.
    assert noise.variance_error == pytest.approx([math.sqrt(2 / (16 * n)) for n in noise.sizes], rel=0.08)


def test_positions_that_are_alike_count_as_one():
    values = np.repeat(np.random.default_rng(0).normal(size=(2000, 1)), 64, axis=1)
    noise = batch_noise(values, (4, 16), draws=4000)
    assert noise.mean_error == pytest.approx([1 / 2, 1 / 4], rel=0.06)
    assert noise.by_picture == pytest.approx([1 / 2, 1 / 4])
    assert noise.independent == pytest.approx([1 / 16, 1 / 32])


@pytest.mark.parametrize("value", [0.0, 3.0, np.float32(0.1)])
def test_a_channel_that_never_changes_has_no_noise_to_measure(value):
    noise = batch_noise(np.full((8, 4), value), (2,), draws=10)
    assert np.isnan([noise.mean_error, noise.variance_error, noise.by_picture]).all()
    assert noise.independent == (1 / math.sqrt(8),)


def test_running_statistics_follow_pytorchs_convention():
    layer = nn.BatchNorm1d(1, momentum=0.3)
    means = []
    for batch in torch.randn(7, 5, 1, generator=torch.Generator().manual_seed(4)):
        layer(batch)
        means.append(float(batch.mean()))
    assert running(means, 0.3)[-1] == pytest.approx(float(layer.running_mean), abs=1e-6)


@given(st.floats(0.01, 1), st.floats(-5, 5), st.floats(-5, 5), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_running_on_one_value_is_the_closed_form(momentum, value, start, steps):
    assert running([value] * steps, momentum, start) == pytest.approx(
        expected_running(steps, momentum, value, start), abs=1e-9
    )


def test_the_last_wandering_of_the_running_mean():
    values = normal_pictures(500, 8)
    batches = batch_means(values, 40_000, 4)
    late = np.std(running(batches, 0.1)[200:])
    assert late / np.std(batches) == pytest.approx(running_noise(0.1), rel=0.05)
    assert running_noise(1.0) == 1


def test_random_maps_differ_by_picture_and_by_channel():
    x = random_maps(4, 8, 8)
    assert x.shape == (4, 8, 8, 8)
    assert torch.equal(x, random_maps(4, 8, 8))
    assert x.mean((1, 2, 3)).std() > 0.5
    assert x.mean((0, 2, 3)).std() > 0.5
