"""What a loaded network's norms do, and that looking leaves the network as it was."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from explorer import networks
from explorer.inference import SAMPLES, decode
from explorer.inference.preprocessing import prepare
from explorer.labs.normalisation import forgotten_eval
from explorer.labs.normalisation import networks as lab
from explorer.networks import InputSpec, Network


@pytest.fixture(scope="module")
def coffee():
    return decode(SAMPLES["coffee"].load())


def fake(model: nn.Module, side: int = 8) -> Network:
    entry = networks.entry_of("random:timm:resnet18")
    return Network(model.eval(), entry.reference, entry, InputSpec((3, side, side), side), ())


def state_of(network: Network) -> tuple:
    modules = list(network.model.modules())
    return (
        {name: value.clone() for name, value in network.model.state_dict().items()},
        [module.training for module in modules],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in modules],
    )


def same(one: tuple, other: tuple) -> bool:
    return one[1:] == other[1:] and all(torch.equal(one[0][name], other[0][name]) for name in one[0])


def test_the_norm_layers_of_a_network(resnet20, convnext):
    assert set(lab.norm_layers(resnet20.model).values()) == {"Batch norm"}
    assert len(lab.norm_layers(resnet20.model)) == 19
    assert len(lab.norm_layers(convnext.model)) == 10
    assert lab.norm_layers(networks.load("zoo:lenet5").model) == {}


@pytest.mark.parametrize("path", ["bn1", "layer2.0.bn1", "layer3.2.bn2"])
def test_batch_norm_inside_equals_pytorchs(resnet20, cat, path):
    found = lab.inside(resnet20, cat, path)
    layer = resnet20.model.get_submodule(path)
    before = torch.from_numpy(found.before)[None]
    after = F.batch_norm(
        before, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=layer.eps
    )
    torch.testing.assert_close(torch.from_numpy(found.after), after[0], atol=1e-5, rtol=1e-5)
    plain = F.batch_norm(before, layer.running_mean, layer.running_var, eps=layer.eps)
    torch.testing.assert_close(torch.from_numpy(found.normalised), plain[0], atol=1e-5, rtol=1e-5)
    assert found.difference < 1e-5
    assert found.grid[0] * found.grid[1] == found.before.shape[1]


def test_every_layer_norm_gives_the_layers_own_answer(convnext, cat):
    for path in lab.norm_layers(convnext.model):
        found = lab.inside(convnext, cat, path)
        assert found.difference < 1e-5, path
        assert found.normalised.mean(0) == pytest.approx(0, abs=1e-5)


def test_layer_norm_finds_the_channels_where_both_axes_would_fit():
    """A map as wide as it has channels: only the layer's own answer tells which axis it normalised."""

    class ChannelsFirst(nn.LayerNorm):
        def forward(self, x):
            return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    model = nn.Sequential(nn.Conv2d(3, 8, 1), ChannelsFirst(8), nn.Flatten())
    found = lab.inside(fake(model), decode(SAMPLES["chelsea"].load()), "1")
    assert found.difference < 1e-5
    assert found.normalised.mean(0) == pytest.approx(0, abs=1e-5)


def test_tokens_of_a_transformer_have_no_map(cat):
    vit = networks.load("random:timm:vit_tiny_patch16_224")
    found = lab.inside(vit, cat, "blocks.0.norm1")
    assert (found.before.shape, found.grid, found.fold) == ((192, 197), None, None)
    assert lab.layer_inputs(vit, [cat], "blocks.0.norm1").shape == (1, 192, 14, 14)


@pytest.mark.parametrize("path", ["bn1", "layer1.0.bn2", "layer3.0.bn1"])
def test_folding_a_real_pair_equals_pytorchs_fusion(resnet20, cat, path):
    found = lab.inside(resnet20, cat, path)
    convolution = resnet20.model.get_submodule(found.fold.convolution)
    norm = resnet20.model.get_submodule(path)
    fused = fuse_conv_bn_eval(copy.deepcopy(convolution).eval(), copy.deepcopy(norm).eval())
    weight, bias = lab.folded(convolution, norm)
    torch.testing.assert_close(weight, fused.weight)
    torch.testing.assert_close(bias, fused.bias)
    assert found.fold.difference < 1e-5 * max(1.0, found.fold.scale)
    assert found.fold.saved == 3 * norm.num_features  # four numbers a channel go, a bias comes


def test_folding_keeps_a_bias_the_convolution_had():
    convolution, norm = nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5)
    for buffer in (norm.running_mean, norm.running_var):
        nn.init.uniform_(buffer, 0.5, 2)
    nn.init.uniform_(norm.weight)
    model = nn.Sequential(convolution, norm, nn.Flatten()).requires_grad_(False)
    found = lab.inside(fake(model), decode(SAMPLES["chelsea"].load()), "1")
    assert found.fold.difference < 1e-5
    assert found.fold.saved == 15 + 5  # the norm's twenty numbers; the bias was there before


def test_what_stands_behind_an_activation_cannot_be_folded(cat):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Flatten())
    assert lab.inside(fake(model.requires_grad_(False)), cat, "2").fold is None


def test_layer_inputs_stop_at_the_layer_and_are_one_row_a_picture(resnet20, cat, coffee):
    before = state_of(resnet20)
    found = lab.layer_inputs(resnet20, [cat, coffee] * 10, "layer2.0.bn1")
    assert found.shape == (20, 32, 16, 16)
    torch.testing.assert_close(found[0], found[18])
    assert same(before, state_of(resnet20))


def test_no_such_layer_is_said_with_what_there_is(resnet20, cat):
    with pytest.raises(ValueError, match="no norm layer of zoo:resnet20; try one of bn1"):
        lab.inside(resnet20, cat, "fc")


def test_looking_leaves_no_hook_even_when_the_network_fails(cat):
    class Fails(nn.Module):
        def forward(self, x):
            raise RuntimeError("no answer")

    network = fake(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), Fails()).requires_grad_(False))
    before = state_of(network)
    with pytest.raises(RuntimeError, match="no answer"):
        lab.inside(network, cat, "1")
    assert same(before, state_of(network))


def test_company_changes_the_answer_in_training_mode_only(resnet20, cat, coffee):
    before = state_of(resnet20)
    companies = {
        "alone": (),
        "coffee": forgotten_eval.cut_outs(coffee, 3),
        "again": forgotten_eval.cut_outs(coffee, 3),
    }
    found = forgotten_eval.drift(resnet20, cat, companies)
    assert same(before, state_of(resnet20))
    calm, alone, company, again, after = found.replies
    assert [reply.mode for reply in found.replies] == ["eval", "train", "train", "train", "eval"]
    assert (found.expected, calm.label) == ("cat", "cat")
    with torch.no_grad():
        own = resnet20.model(prepare(cat, resnet20.input).x)[0].softmax(0)
    assert calm.probability == pytest.approx(float(own.max()), abs=1e-6)
    assert abs(company.expected - alone.expected) > 0.05
    assert company.expected == pytest.approx(again.expected, abs=1e-6)  # 001 calls it non-deterministic
    assert abs(after.expected - calm.expected) > 1e-3  # the passes have overwritten the running statistics
    assert (found.layers, found.melted, found.dropouts) == (19, 0, 0)


def test_training_mode_answers_as_pytorch_does(resnet20, cat, coffee):
    others = forgotten_eval.cut_outs(coffee, 3)
    found = forgotten_eval.drift(resnet20, cat, {"coffee": others}).replies[1]
    model = copy.deepcopy(resnet20.model).train()
    with torch.no_grad():
        batch = torch.cat([prepare(image, resnet20.input).x for image in (cat, *others)])
        expected = model(batch)[0].softmax(0)
    assert found.probability == pytest.approx(float(expected.max()), abs=1e-5)
    assert found.label == resnet20.labels[int(expected.argmax())]


def test_a_network_without_batch_norm_does_not_mind_its_company(convnext, cat, coffee):
    found = forgotten_eval.drift(convnext, cat, {"coffee": forgotten_eval.cut_outs(coffee, 3)})
    assert found.layers == 0
    assert [reply.expected for reply in found.replies] == pytest.approx(
        [found.replies[0].expected] * 3, abs=1e-5
    )


def test_dropout_is_random_only_where_it_is_asked_for(cat):
    vgg = networks.load("zoo:vgg_small")
    twice = {"once": (), "twice": ()}
    still = forgotten_eval.drift(vgg, cat, twice).replies
    assert still[1].expected == still[2].expected
    moving = forgotten_eval.drift(vgg, cat, twice, dropout=True)
    assert moving.dropouts == 1
    assert moving.replies[1].expected != moving.replies[2].expected
    again = forgotten_eval.drift(vgg, cat, twice, dropout=True).replies
    assert [reply.expected for reply in again] == [reply.expected for reply in moving.replies]


def test_pytorch_refuses_one_number_a_channel_and_its_words_are_kept(cat):
    model = nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.Flatten()).requires_grad_(False)
    alone = forgotten_eval.drift(fake(model), cat, {"alone": ()}).replies[1]
    assert alone.refused == "Expected more than 1 value per channel when training"


def test_weights_with_folded_norms_are_known(monkeypatch, shared_models, cat):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(shared_models))
    network = networks.load("folder:mobilenetv2_100.coral_in1k")
    found = forgotten_eval.drift(network, cat, {"alone": ()})
    assert (found.layers, found.melted) == (52, 52)
    assert found.replies[0].label == "Egyptian cat"
    assert found.replies[1].expected < 0.05  # what was never meant to be normalised now is
    inside = lab.inside(network, cat, "blocks.2.0.bn2")  # its activation stands inside the layer
    assert inside.difference < 1e-4
    assert inside.fold.difference < 1e-4 * inside.fold.scale


def test_frozen_parameters_do_not_freeze_the_running_statistics():
    """001, part 13: requires_grad=False and eval() are independent. They are."""
    layer = nn.BatchNorm2d(3).requires_grad_(False)
    layer(torch.randn(2, 3, 4, 4) + 5)
    assert layer.running_mean.abs().min() > 0.1


def test_not_every_network_wants_imagenets_mean():
    """001, part 13: all ImageNet models expect mean 0.485, 0.456, 0.406. Not all do."""
    assert networks.input_spec("torchvision:resnet50").mean == (0.485, 0.456, 0.406)
    assert networks.input_spec("timm:vit_base_patch16_224").mean == (0.5, 0.5, 0.5)


def test_cut_outs_are_the_same_each_time_and_lie_in_the_picture(cat):
    one, other = forgotten_eval.cut_outs(cat, 3), forgotten_eval.cut_outs(cat, 3)
    assert [a.tobytes() for a in one] == [b.tobytes() for b in other]
    assert len({a.size for a in one}) == 3
    assert all(0.6 * 300 - 1 <= a.width == a.height <= 300 for a in one)
