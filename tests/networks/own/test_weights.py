"""Somebody's fine-tuned weights, in the files that trainings write: the file decides about classes and
channels, and what it is loaded into computes what the training's own network computed."""

import argparse
import json
import os
import re
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision import models

from explorer.networks import UnknownNetwork
from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.own import weights
from explorer.networks.own.registry import Settings
from tests.checkpoints import state, write

X = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def drawn(model: nn.Module) -> nn.Module:
    """With weights whose answers differ from class to class, and statistics of its own."""
    generator = torch.Generator().manual_seed(5)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.data.copy_(torch.rand(tensor.shape, generator=generator) * 0.2 + 0.01)
    return model.eval()


def tiny(**built: Any) -> nn.Module:
    model = timm.create_model("test_resnet", **built).eval()
    model.load_state_dict(state(**built))
    return model


def saved(path: Path, content: Any) -> str:
    save_file(content, path) if path.suffix == ".safetensors" else torch.save(content, path)
    return str(path)


def answers_as(own: weights.OwnWeights, theirs: nn.Module, x: Tensor = X) -> None:
    model, _, _ = own.read()
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(x), theirs(x))


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_torchvision_fine_tune_of_five_classes_with_labels(tmp_path: Path, ending: str) -> None:
    theirs = models.resnet18()
    theirs.fc = nn.Linear(512, 5)
    drawn(theirs)
    (tmp_path / "labels.txt").write_text("daisy\ndandelion\nrose\nsunflower\ntulip\n")
    path = saved(tmp_path / f"flowers{ending}", theirs.state_dict())
    own = weights.opened(path, Settings(architecture="torchvision:resnet18", labels=tmp_path / "labels.txt"))
    assert (own.name, own.shown, own.same_as) == ("flowers", f"flowers{ending}", "torchvision:resnet18")
    answers_as(own, theirs)
    assert own.read()[2] == ("daisy", "dandelion", "rose", "sunflower", "tulip")
    assert own.build(None).fc.out_features == 5
    assert own.input_spec().shape == (3, 224, 224)
    assert own.remarks == ()


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5", "mnasnet0_5"])
@pytest.mark.parametrize("count", [1, 7])
def test_every_head_of_torchvision_takes_the_files_size(tmp_path: Path, name: str, count: int) -> None:
    theirs = models.get_model(name, num_classes=count).eval()
    path = saved(tmp_path / "weights.pth", theirs.state_dict())
    own = weights.opened(path, Settings(architecture=f"torchvision:{name}"))
    answers_as(own, theirs)
    assert own.name == tmp_path.name
    assert own.read()[2] == ()


def test_other_channels_and_no_head_at_all(tmp_path: Path) -> None:
    theirs = models.resnet18()
    theirs.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    theirs.fc = nn.Identity()
    drawn(theirs)
    own = weights.opened(
        saved(tmp_path / "grey.pth", theirs.state_dict()), Settings(architecture="torchvision:resnet18")
    )
    answers_as(own, theirs, X[:, :1])
    spec = own.input_spec()
    assert spec.shape == (1, 224, 224)
    assert len(spec.mean) == len(spec.std) == 1
    assert any("Grey pictures" in remark for remark in own.remarks)


def test_timms_training_checkpoint_says_everything_itself(tmp_path: Path) -> None:
    last, averaged = tiny(num_classes=4, in_chans=1), drawn(tiny(num_classes=4, in_chans=1))
    args = argparse.Namespace(
        model="test_resnet",
        num_classes=4,
        in_chans=1,
        img_size=48,
        input_size=None,
        mean=[0.3],
        std=None,
        crop_pct=0.8,
        interpolation="",
        gp=None,
        model_kwargs={},
        opt="sgd",
        lr=0.1,
    )
    path = saved(
        tmp_path / "model_best.pth.tar",
        {
            "epoch": 3,
            "arch": "test_resnet",
            "state_dict": {f"module._orig_mod.{key}": value for key, value in last.state_dict().items()},
            "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.1}]},
            "version": 2,
            "args": args,
            "state_dict_ema": averaged.state_dict(),
            "metric": 71.2,
        },
    )
    own = weights.opened(path, Settings())
    assert own.same_as == "timm:test_resnet"
    answers_as(own, averaged, X[:, :1])
    spec = own.input_spec()
    assert (spec.shape, spec.mean, spec.resize) == ((1, 48, 48), (0.3,), 60)
    assert any("averaged over the training" in remark for remark in own.remarks)


def test_a_number_of_classes_that_the_file_contradicts_is_said(tmp_path: Path) -> None:
    theirs = tiny(num_classes=4)
    path = saved(
        tmp_path / "last.pth",
        {"arch": "test_resnet", "args": {"num_classes": 9}, "state_dict": theirs.state_dict()},
    )
    own = weights.opened(path, Settings())
    answers_as(own, theirs)
    assert any("4 outputs" in remark and "9 (num_classes)" in remark for remark in own.remarks)


@pytest.mark.parametrize(
    ("hyper_parameters", "architecture"),
    [({"model_name": "timm:test_resnet", "lr": 0.1}, ""), ({"lr": 0.1}, "timm:test_resnet")],
)
def test_lightnings_checkpoint(tmp_path: Path, hyper_parameters, architecture: str) -> None:
    theirs = tiny(num_classes=4)
    tensors = {f"net.model.{key}": value for key, value in theirs.state_dict().items()}
    path = saved(
        tmp_path / "epoch=3.ckpt",
        {
            "pytorch-lightning_version": "2.5.0",
            "hyper_parameters": hyper_parameters,
            "state_dict": {**tensors, "loss.weight": torch.ones(4)},
            "callbacks": {},
            "loops": {},
        },
    )
    own = weights.opened(path, Settings(architecture=architecture))
    answers_as(own, theirs)
    assert any("1 further tensor (loss.weight)" in remark for remark in own.remarks)


def test_torchvisions_own_script_and_pytorchs_example(tmp_path: Path) -> None:
    theirs = drawn(models.squeezenet1_1(num_classes=3))
    averaged = {f"module.{key}": value for key, value in theirs.state_dict().items()}
    other = models.squeezenet1_1(num_classes=3).state_dict()
    reference = {
        "model": other,
        "model_ema": {**averaged, "n_averaged": torch.tensor(7)},
        "args": argparse.Namespace(model="squeezenet1_1", weights=None),
    }
    example = {"arch": "squeezenet1_1", "state_dict": averaged, "best_acc1": torch.tensor(3.0)}
    for content in (reference, example):
        own = weights.opened(saved(tmp_path / "checkpoint.pth", content), Settings())
        assert own.same_as == "torchvision:squeezenet1_1"
        answers_as(own, theirs)


def test_a_table_beside_an_optimiser(tmp_path: Path) -> None:
    theirs = tiny(num_classes=4)
    path = saved(
        tmp_path / "run.pt",
        {"epoch": 1, "model_state_dict": theirs.state_dict(), "optimizer_state_dict": {"state": {}}},
    )
    answers_as(weights.opened(path, Settings(architecture="timm:test_resnet")), theirs)


def test_a_head_that_was_put_in_as_dropout_and_a_layer(tmp_path: Path) -> None:
    theirs = models.resnet18()
    theirs.fc = nn.Sequential(nn.Dropout(0.5), nn.Linear(512, 5))
    drawn(theirs)
    path = saved(tmp_path / "dropout.pth", theirs.state_dict())
    own = weights.opened(path, Settings(architecture="torchvision:resnet18"))
    answers_as(own, theirs)
    assert any("fc.1 alone" in remark for remark in own.remarks)


def test_a_head_of_two_layers_is_no_such(tmp_path: Path) -> None:
    theirs = models.resnet18()
    theirs.fc = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 5))
    path = saved(tmp_path / "two.pth", theirs.state_dict())
    with pytest.raises(
        UnknownNetwork, match=r"^[^\n]*lacking \(fc.weight[^\n]*left over \(fc.0.weight[^\n]*$"
    ):
        weights.opened(path, Settings(architecture="torchvision:resnet18"))


def test_a_misfit_names_tensors_and_shapes_and_what_would_help(tmp_path: Path) -> None:
    path = saved(tmp_path / "wide.pth", models.resnet34(num_classes=5).state_dict())
    with pytest.raises(UnknownNetwork, match=r"left over \(layer1\.2\.[^\n]*--architecture[^\n]*\.$"):
        weights.opened(path, Settings(architecture="torchvision:resnet18"))
    tensors = models.resnet18(num_classes=5).state_dict() | {"bn1.weight": torch.ones(3)}
    path = saved(tmp_path / "odd.pth", tensors)
    with pytest.raises(UnknownNetwork, match=r"1 is of another shape \(bn1\.weight \[3\] for \[64\]\)"):
        weights.opened(path, Settings(architecture="torchvision:resnet18"))


@pytest.mark.parametrize(
    ("names", "count", "shown"),
    [(["cat"], 1, ("cat",)), (["cat", "dog"], 1, ("dog",)), (["a", "b", "c"], 3, ("a", "b", "c"))],
)
def test_names_of_classes(tmp_path: Path, names: list[str], count: int, shown: tuple[str, ...]) -> None:
    (tmp_path / "labels.json").write_text(json.dumps(names))
    path = saved(tmp_path / "net.pth", state(num_classes=count))
    settings = Settings(architecture="timm:test_resnet", labels=tmp_path / "labels.json")
    assert weights.opened(path, settings).read()[2] == shown


def test_names_for_another_number_of_outputs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    path = saved(tmp_path / "net.pth", state(num_classes=3))
    settings = Settings(architecture="timm:test_resnet", labels=tmp_path / "labels.txt")
    with pytest.raises(UnknownNetwork, match=r"labels.txt names 2 classes, and net.pth has 3 outputs"):
        weights.opened(path, settings)


def test_what_the_owner_says_of_the_input_is_taken(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pth", state(num_classes=3))
    settings = Settings(architecture="timm:test_resnet", input=(3, 32, 32), mean=(0.1, 0.2, 0.3), resize=40)
    spec = weights.opened(path, settings).input_spec()
    assert (spec.shape, spec.mean, spec.resize) == ((3, 32, 32), (0.1, 0.2, 0.3), 40)
    with pytest.raises(UnknownNetwork, match=r"takes 3 channels, and --input says 1"):
        weights.opened(path, Settings(architecture="timm:test_resnet", input=(1, 32, 32)))


def test_timms_folder_is_one_of_these_too(tmp_path: Path) -> None:
    folder = write(tmp_path / "ten", state(num_classes=10), {"num_classes": 10})
    for asked in (folder, folder / "model.safetensors"):
        own = weights.opened(str(asked), Settings())
        assert (own.name, own.same_as) == ("ten", "timm:test_resnet")
        answers_as(own, tiny(num_classes=10))


class Runs:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('code of a checkpoint was run')",))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (Runs(), r"holds more than tensors \([^)]*exec\)[^\n]*state_dict\(\)"),
        ({"state_dict": {"a.weight": torch.ones(1)}, "callbacks": Runs()}, r"holds more than tensors"),
        (models.squeezenet1_1, r"holds more than tensors"),
        ([1, 2], r"holds a list and no table"),
        (state(num_classes=3), r"say of which network, --architecture"),
        ({"state_dict": state(), "hyper_parameters": {"lr": 1}}, r"Lightning's, whose arguments do not say"),
        ({"arch": "my_net", "state_dict": state()}, r"say of which network, --architecture"),
        ({"arch": "test_resnet", "args": {"in_chans": 10**9}, "state_dict": state()}, r"in_chans is 1,000,0"),
        ({"arch": "test_resnet", "args": {"mean": ["a"] * 3}, "state_dict": state()}, r"mean must be"),
        (
            {"arch": "test_resnet", "args": {"model_kwargs": {"pretrained": True}}, "state_dict": state()},
            r"may not set pretrained",
        ),
        ({}, r"say of which network"),
    ],
)
def test_what_cannot_be_opened_is_a_sentence(tmp_path: Path, content: Any, says: str) -> None:
    path = saved(tmp_path / "file.pth", content)
    with pytest.raises(UnknownNetwork, match=rf"^[^\n]*{says}[^\n]*\.$"):
        weights.opened(path, Settings())


@pytest.mark.parametrize(
    "args",
    [
        {"model_kwargs": [1]},
        {"model_kwargs": {(1, 2): 3}},
        {"input_size": 5},
        {"img_size": -5},
        {"mean": "abc"},
        {"num_classes": "seven"},
        {"interpolation": 7},
    ],
)
def test_arguments_of_the_wrong_kind_are_a_sentence(tmp_path: Path, args: dict[str, Any]) -> None:
    model = timm.create_model("test_resnet")
    told = {"arch": "test_resnet", "args": args, "state_dict": model.state_dict()}
    torch.save(told, tmp_path / "last.pth.tar")
    with pytest.raises(UnknownNetwork, match=r"last.pth.tar's arguments"):
        weights.opened(str(tmp_path / "last.pth.tar"), Settings())


@pytest.mark.parametrize(
    ("odd", "says"),
    [(lambda t: t.to(torch.complex64), "complex numbers (fc.weight)"), (lambda t: t.to("meta"), "no data")],
)
def test_numbers_that_cannot_be_taken_are_a_sentence(tmp_path: Path, odd: Any, says: str) -> None:
    tensors = timm.create_model("test_resnet").state_dict()
    torch.save({**tensors, "fc.weight": odd(tensors["fc.weight"])}, tmp_path / "net.pth")
    settings = Settings(architecture="timm:test_resnet")
    with pytest.raises((UnknownNetwork, Misfit), match=re.escape(says)):
        weights.opened(str(tmp_path / "net.pth"), settings).read()


def test_what_unfolds_beyond_all_bounds_is_refused_before_it_does(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 26))
    tracemalloc.start()
    with pytest.raises(UnknownNetwork, match="damaged"):
        weights.opened(str(path), Settings(architecture="timm:test_resnet"))
    assert tracemalloc.get_traced_memory()[1] < 1 << 25
    tracemalloc.stop()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "net.pth")
    with pytest.raises(UnknownNetwork, match="cannot be read"):
        weights.opened(str(tmp_path / "net.pth"), Settings(architecture="timm:test_resnet"))


@pytest.mark.parametrize("name", ["damaged.pth", "damaged.safetensors", "damaged.ckpt"])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x10" * 100)
    with pytest.raises(UnknownNetwork, match=rf"^{name} cannot be opened: its file {name} is damaged"):
        weights.opened(str(tmp_path / name), Settings(architecture="timm:test_resnet"))


@pytest.mark.parametrize("architecture", ["explorer:resnet20", "timm:nonesuch", "resnet20"])
def test_another_architecture_than_theirs_is_a_sentence(tmp_path: Path, architecture: str) -> None:
    path = saved(tmp_path / "net.pth", state())
    with pytest.raises(UnknownNetwork, match=r"^[^\n]+\.$"):
        weights.opened(path, Settings(architecture=architecture))
