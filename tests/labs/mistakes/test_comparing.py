"""Mistakes made on purpose: what each changes, by closed form where there is one; what it leaves alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from torch import nn

from explorer import networks
from explorer.inference import explain
from explorer.inference.preprocessing import prepare
from explorer.inference.training_mode import training_mode
from explorer.labs import input_numbers
from explorer.labs.mistakes import comparing, cost_of_networks, runs
from explorer.networks.inputs import IMAGENET_MEAN, IMAGENET_STD


def state_of(network: networks.Network) -> tuple:
    model = network.model
    hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())
    wanting = [parameter.requires_grad for parameter in model.parameters()]
    values = {name: value.clone() for name, value in model.state_dict().items()}
    return hooks, [module.training for module in model.modules()], wanting, values


@pytest.mark.parametrize("mistake", comparing.MISTAKES.values(), ids=lambda mistake: mistake.id)
def test_no_mistake_alters_the_network_that_others_share(mistake, resnet20, cat):
    before, chance = state_of(resnet20), torch.random.get_rng_state()
    comparing.compare(mistake, resnet20, cat)
    after = state_of(resnet20)
    assert after[:3] == before[:3]
    assert all(torch.equal(after[3][name], value) for name, value in before[3].items())
    assert torch.equal(torch.random.get_rng_state(), chance)


def test_not_even_a_mistake_that_ends_in_an_error_alters_it(resnet20):
    before = state_of(resnet20)
    with pytest.raises(AttributeError):
        comparing.compare(comparing.MISTAKES["frozen-train"], resnet20, None)  # type: ignore[arg-type]
    with runs.in_train_mode(resnet20) as model, pytest.raises(RuntimeError):
        model(torch.zeros(1, 5, 32, 32))
    after = state_of(resnet20)
    assert after[:3] == before[:3]
    assert all(torch.equal(after[3][name], value) for name, value in before[3].items())


def test_the_right_run_is_the_answer_of_the_inference_page(resnet20, cat):
    run = runs.right(resnet20, cat)
    answer = explain(resnet20, cat)
    assert run.label(run.top) == answer.predictions[0].label == "cat"
    assert run.values[run.top] == pytest.approx(answer.predictions[0].probability, abs=1e-6)
    assert np.array_equal(run.view, answer.view)


def test_without_normalisation_the_numbers_are_the_pixels(resnet20, cat):
    pixels = prepare(cat, resnet20.input).view / 255
    run = runs.without_normalisation(resnet20, cat)
    assert run.mean == pytest.approx(pixels.mean(), abs=1e-6)
    assert run.std == pytest.approx(pixels.std(ddof=1), abs=1e-6)
    mean, std = np.array(resnet20.input.mean), np.array(resnet20.input.std)
    expected = np.clip(255 * (pixels * std + mean), 0, 255)
    assert np.abs(run.view - expected).max() <= 0.501


@given(st.lists(st.floats(0.1, 0.9), min_size=6, max_size=6))
@settings(max_examples=20, deadline=None)
def test_normalising_and_understanding_are_inverse(constants):
    spec = networks.InputSpec((3, 4, 4), 4, mean=tuple(constants[:3]), std=tuple(constants[3:]))
    pixels = torch.arange(48).view(1, 3, 4, 4) * 5
    x = input_numbers.normalise(pixels / 255, spec.mean, spec.std)
    assert input_numbers.understood(x, spec).tolist() == pixels[0].permute(1, 2, 0).tolist()


def test_other_constants_are_the_other_ones():
    assert runs.other_constants(networks.InputSpec((3, 8, 8), 8)) == ((0.5,) * 3, (0.5,) * 3)
    half = networks.InputSpec((3, 8, 8), 8, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert runs.other_constants(half) == (IMAGENET_MEAN, IMAGENET_STD)


def test_0_to_255_is_far_outside(resnet20, cat):
    run = runs.from_0_to_255(resnet20, cat)
    assert run.mean > 400
    assert (run.view == 255).mean() > 0.99


def test_blue_first_changes_the_answer_of_a_network_that_looks_at_colour(resnet20, cat):
    right, wrong = runs.right(resnet20, cat), runs.blue_first(resnet20, cat)
    assert np.array_equal(wrong.view, right.view[:, :, ::-1])
    assert abs(wrong.values - right.values).max() > 0.5
    assert wrong.label(wrong.top) == "airplane"


def test_a_grey_picture_has_no_blue_first(resnet20):
    grey = Image.new("RGB", (40, 40), (90, 90, 90))
    right, wrong = runs.right(resnet20, grey), runs.blue_first(resnet20, grey)
    assert np.allclose(wrong.values, right.values, atol=1e-6)


def test_train_mode_with_a_batch_of_one_takes_the_statistics_of_that_one():
    """Ioffe and Szegedy 2015, algorithm 1, for (1, 3) -> (-1, 1); eval mode hands them through."""
    norm = nn.BatchNorm1d(1, eps=1e-9)
    x = torch.tensor([[1.0], [3.0]])
    assert norm.eval()(x).flatten().tolist() == pytest.approx([1, 3])
    assert norm.train()(x).flatten().tolist() == pytest.approx([-1, 1])


def test_train_mode_changes_the_answer_and_company_changes_it_again(resnet20, cat):
    found = comparing.compare(comparing.MISTAKES["train-mode"], resnet20, cat)
    alone = found.wrong.values[found.index]
    shares = [float(each.rstrip("%")) / 100 for each in found.wrong.numbers.values()]
    assert abs(alone - found.right.values[found.index]) > 0.1
    assert len({round(float(each), 3) for each in (alone, *shares)}) == 3


def test_train_mode_is_no_lottery(resnet20, cat):
    """The sources call it non-deterministic: it is not, for the same batch and without dropout."""
    first, second = (runs.train_mode(resnet20, cat) for _ in range(2))
    assert np.array_equal(first.values, second.values)


def test_without_batch_norm_and_dropout_the_mode_says_nothing(convnext, cat):
    found = comparing.compare(comparing.MISTAKES["train-mode"], convnext, cat)
    assert np.array_equal(found.wrong.values, found.right.values)
    assert "nothing changes" in found.wrong.note
    assert found.wrong.numbers == {}


def test_dropout_alone_is_enough_for_the_modes_to_differ():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    assert training_mode(model, (2,)).differs
    assert not training_mode(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.0)), (2,)).differs


def test_frozen_parameters_stay_and_running_statistics_do_not(resnet20, cat):
    run = runs.frozen_in_train_mode(resnet20, cat)
    assert run.numbers == {"parameters changed": "0 of 59", "running statistics changed": "38 of 38"}
    assert abs(run.values - runs.right(resnet20, cat).values).max() > 0.05


def test_running_statistics_close_in_on_the_batch_by_a_tenth_a_pass():
    """momentum 0.1: after n passes over one batch 0.9^n of the old mean is left."""
    norm = nn.BatchNorm1d(1).train().requires_grad_(False)
    norm.running_mean.fill_(10.0)
    for _ in range(runs.PASSES):
        norm(torch.tensor([[1.0], [3.0]]))
    assert norm.running_mean.item() == pytest.approx(2 + 0.9**runs.PASSES * 8, rel=1e-6)


@given(arrays(np.float64, st.integers(2, 50), elements=st.floats(-20, 20)))
@settings(max_examples=50, deadline=None)
def test_a_second_softmax_never_passes_its_bound(logits):
    """The input lies in [0, 1] and sums to 1, so no value passes e / (e + K - 1)."""
    twice = runs.softmax(runs.softmax(logits))
    assert twice.max() <= np.e / (np.e + len(logits) - 1) + 1e-12
    assert twice.sum() == pytest.approx(1)
    assert twice.argmax() == runs.softmax(logits).argmax()


def test_a_sure_answer_reaches_the_bound_of_two_softmaxes(resnet20, cat):
    assert runs.softmax(np.array([1.0, 0, 0, 0]))[0] == pytest.approx(np.e / (np.e + 3))
    run = runs.softmax_twice(resnet20, cat)
    right = runs.right(resnet20, cat)
    powers = np.exp(right.values)
    assert np.allclose(run.values, powers / powers.sum(), atol=1e-6)
    assert run.numbers == {"the most that two softmaxes can give here": "23.20%"}


def test_logits_keep_the_order_and_are_no_probabilities(resnet20, cat):
    run, right = runs.softmax_forgotten(resnet20, cat), runs.right(resnet20, cat)
    assert run.values.argsort().tolist() == right.values.argsort().tolist()
    assert run.values.min() < 0
    assert np.allclose(runs.softmax(run.values), right.values, atol=1e-6)


def test_two_lists_agree_on_the_cat_and_not_on_the_frog(resnet20, convnext, cat):
    """CIFAR-10's sixth is a frog, STL-10's a horse: both lists count from airplane, and the cat is fourth."""
    assert comparing.compare(comparing.MISTAKES["other-labels"], resnet20, cat).same_answer
    found = comparing.compare(comparing.MISTAKES["other-labels"], convnext, cat)
    assert (found.right.label(found.index), found.wrong.label(found.wrong.top)) == ("frog", "horse")
    assert np.array_equal(found.right.values, found.wrong.values)


def test_a_size_that_does_not_fit_is_told_as_an_error(cat):
    found = comparing.compare(comparing.MISTAKES["other-entry"], networks.load("zoo:lenet5"), cat)
    assert "cannot be multiplied" in found.wrong.failure
    assert not found.same_answer
    assert found.wrong.view.shape == (224, 224, 3)


def test_an_error_without_words_is_told_by_its_kind(resnet20):
    class Silent(nn.Linear):
        def forward(self, x):
            raise RuntimeError("\n")

    run = runs._run(resnet20, torch.zeros(1, 3, 32, 32), model=Silent(1, 1))
    assert run.failure == "RuntimeError"


def test_crop_and_squeeze_differ_from_the_right_run_only_where_they_should(resnet20, cat):
    square = cat.crop((0, 0, 300, 300))
    assert np.array_equal(runs.stretched(resnet20, square).view, runs.right(resnet20, square).view)
    small = square.resize((32, 32))
    assert np.array_equal(runs.not_resized(resnet20, small).view, runs.right(resnet20, small).view)
    native = np.asarray(cat)[134:166, 209:241]
    assert np.array_equal(runs.not_resized(resnet20, cat).view, native)


def test_a_network_without_its_weights_is_another_network(resnet20, cat):
    run = runs.no_weights(resnet20, cat)
    assert abs(run.values - runs.right(resnet20, cat).values).max() > 0.3


def run_of(*values: float, labels: tuple[str, ...] = ("a", "b", "c")) -> runs.Run:
    return runs.Run(np.zeros((1, 1, 3), np.uint8), np.array(values, np.float32), labels, 0.0, 1.0)


distributions = arrays(np.float64, 3, elements=st.floats(0.01, 1)).map(lambda values: values / values.sum())


@given(distributions, distributions)
@settings(deadline=None)
def test_total_variation_is_what_has_to_move_and_never_a_gain(one, two):
    """It is the largest difference between what the two give any set of classes."""
    sets = [[0], [1], [2], [0, 1], [0, 2], [1, 2]]
    most = max(abs(one[each].sum() - two[each].sum()) for each in sets)
    assert comparing.total_variation(run_of(*one), run_of(*two)) == pytest.approx(most, abs=1e-6)
    assert comparing.total_variation(run_of(*one), run_of(*one)) == 0


def test_a_surer_answer_has_moved_as_far_as_a_less_sure_one():
    right = run_of(0.6, 0.3, 0.1)
    surer, weaker = run_of(0.8, 0.15, 0.05), run_of(0.4, 0.45, 0.15)
    assert comparing.total_variation(right, surer) == pytest.approx(0.2)
    assert comparing.total_variation(right, weaker) == pytest.approx(0.2)


def test_answers_read_with_other_lists_are_compared_by_name():
    right, shifted = run_of(0.6, 0.3, 0.1), run_of(0.6, 0.3, 0.1, labels=("z", "a", "b"))
    assert comparing.total_variation(right, shifted) == pytest.approx(0.6)  # a 0.6-0.3, b 0.3-0.1, c, z
    found = comparing.Comparison(right, shifted).largest(3)
    assert [name for name, *_ in found] == ["a", "b", "z"]
    assert found[0] == ("a", pytest.approx(0.6), pytest.approx(0.3))


def test_what_is_no_distribution_has_no_distance():
    assert comparing.total_variation(run_of(0.6, 0.3, 0.1), run_of(3, -1, 2)) is None
    assert comparing.total_variation(run_of(0.6, 0.3, 0.1), run_of()) is None


def test_crops_are_the_picture_and_its_corners(cat):
    whole, *corners = comparing.crops(cat)
    assert whole is cat
    assert [corner.size for corner in corners] == [(round(0.75 * cat.width), round(0.75 * cat.height))] * 4
    outermost = ((0, 0), (0, -1), (-1, 0), (-1, -1))
    for corner, place in zip(corners, outermost, strict=True):
        assert np.asarray(corner)[place].tolist() == np.asarray(cat)[place].tolist()
    assert [each.size for each in comparing.crops(Image.new("RGB", (1, 1)))] == [(1, 1)] * 5


def test_the_overview_holds_every_mistake_once(resnet20, cat):
    found = comparing.overview(resnet20, cat)
    assert list(found) == list(comparing.MISTAKES)
    for key, each in found.items():
        if key == "no-softmax":
            assert (each.moved, each.total_variation) == ((), None)
        else:
            assert len(each.moved) == 5
            assert 0 < each.total_variation <= 1
            assert each.moved[0] == pytest.approx(comparing.total_variation(each.right, each.wrong))
    assert found["bgr"].wrong.values.tolist() == runs.blue_first(resnet20, cat).values.tolist()
    assert len({id(each.right) for each in found.values()}) == 1


def test_imagenet_weights_that_want_constants_of_their_own(monkeypatch, shared_models, cat):
    """MobileNet V2 from Google's Coral: 0.5, so that ImageNet's mean is the mistake here."""
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(shared_models))
    network = networks.load("folder:mobilenetv2_100.coral_in1k")
    found = comparing.overview(network, cat)
    assert "mean 0.485, 0.456, 0.406, std 0.229" in found["other-normalisation"].wrong.note
    assert found["train-mode"].wrong.values[found["train-mode"].index] < 0.01
    labels = found["other-labels"]
    assert (labels.right.label(labels.index), labels.wrong.label(labels.wrong.top)) == (
        "Egyptian cat",
        "Siamese cat",  # 284, the one before 285
    )
    assert "MobileNet_V2_Weights.IMAGENET1K_V2" in found["other-entry"].wrong.note


def test_every_mistake_has_three_lines_of_code_at_most():
    for mistake in comparing.MISTAKES.values():
        assert 1 <= len(mistake.wrong.splitlines()) <= 3
        assert 1 <= len(mistake.right.splitlines()) <= 3
        assert mistake.wrong != mistake.right


def test_not_every_imagenet_network_wants_imagenets_constants():
    """Source 001, part 13, says that all do. timm's own configurations say otherwise."""
    counted = comparing.normalisations()
    total, imagenet = sum(counted.values()), counted[(IMAGENET_MEAN, IMAGENET_STD)]
    assert 0.5 < imagenet / total < 0.9
    assert counted[((0.5,) * 3, (0.5,) * 3)] > 100


def test_the_two_entries_of_resnet50_are_nearly_five_points_apart():
    """Source 001, part 13: about 76.1 and 80.9."""
    ids = [f"torchvision:ResNet50_Weights.IMAGENET1K_{version}" for version in ("V1", "V2")]
    first, second = (networks.entry_of(each).facts["top1"].value for each in ids)
    assert (first, second) == (76.13, 80.858)


def test_the_published_counts_of_part_13():
    """Source 001: EfficientNet-B0 5.3 M, ResNet-18 11.7 M, VGG-16 138 M 90 % in linear layers (89.4 %)."""
    b0, resnet = cost_of_networks.counted("timm:efficientnet_b0"), cost_of_networks.counted("timm:resnet18")
    vgg = cost_of_networks.counted("torchvision:vgg16")
    assert [round(each.params / 1e6, 1) for each in (b0, resnet, vgg)] == [5.3, 11.7, 138.4]
    assert vgg.linear_share == pytest.approx(
        (25088 * 4096 + 4096 * 4097 + 4096 * 1001 + 1000) / 138_357_544, 1e-3
    )
    assert vgg.linear_macs_share == pytest.approx(123_633_664 / 15_470_264_320, rel=1e-9)
    assert vgg.latency_ms is None


def test_passes_are_timed_one_by_one_and_put_in_order():
    assert len(cost_of_networks.passes(nn.Flatten(), 8)) == cost_of_networks.PASSES
    made = [cost_of_networks.Cost(n, 8, p, 1, 0, 0, (t,)) for n, p, t in (("a", 1, 9.0), ("b", 2, 3.0))]
    counted = cost_of_networks.Cost("c", 8, 3, 1, 0, 0)
    assert cost_of_networks.order((*made, counted), "params") == ("a", "b", "c")
    assert cost_of_networks.order((*made, counted), "latency_ms") == ("b", "a")
