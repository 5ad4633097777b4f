"""A stranger's file of weights is the truth about outputs and channels; its config.json is held to it."""

import hashlib
import itertools
import json
import threading
from pathlib import Path

import pytest
import timm
import torch

from explorer import networks
from explorer.networks import checkpoint_file, folders, from_shared, without_memory
from explorer.networks.checkpoint_config import read_config
from explorer.networks.checkpoint_contents import Misfit
from explorer.networks.without_memory import own_generator
from tests.checkpoints import state, write


def loaded(folder: Path) -> networks.Network:
    return networks.load(f"local-dir:{folder}")


@pytest.mark.parametrize(
    ("settings", "arguments", "top"),
    [
        ({"num_classes": None}, {"num_classes": 10}, {"num_classes": None}),
        ({"num_classes": 10}, {}, {}),
        ({"num_classes": 1000}, {}, {"num_classes": 5}),
        ({"num_classes": 10}, {"num_classes": 7}, {}),
        ({"num_classes": None, "classifier": None, "first_conv": None}, {}, {}),
    ],
)
def test_the_file_says_how_many_outputs_there_are(tmp_path, settings, arguments, top) -> None:
    weights = state(num_classes=10)
    network = loaded(write(tmp_path / "ten", weights, settings, arguments, **top))
    theirs = timm.create_model("test_resnet", num_classes=10).eval()
    theirs.load_state_dict(weights)
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network.model(x), theirs(x))
    assert network.labels == ()
    wrong = [
        each
        for each in (settings["num_classes"], *arguments.values(), *top.values())
        if each not in (None, 10)
    ]
    said = " ".join(network.remarks)
    assert all(f"{each:,} (" in said for each in wrong)
    assert bool(said) == bool(wrong)


def test_names_stay_only_where_there_is_one_for_each_output(tmp_path) -> None:
    names = [f"kind {number}" for number in range(10)]
    kept = loaded(write(tmp_path / "kept", state(num_classes=10), {"label_names": names, "num_classes": 10}))
    assert kept.labels == tuple(names)
    assert kept.remarks == ()
    left_out = loaded(
        write(tmp_path / "out", state(num_classes=10), {"label_names": names[:9], "num_classes": 9})
    )
    assert left_out.labels == ()
    assert any("names 9 classes" in remark for remark in left_out.remarks)


def test_a_name_is_what_can_stand_in_a_line(tmp_path) -> None:
    odd = ["a\nb\0", "x" * 10_000, "\ud800", 7, "crane", "crane", "", "<b>", "\u202eback", "naïve 图"]
    network = loaded(write(tmp_path / "odd", state(num_classes=10), {"label_names": odd, "num_classes": 10}))
    assert len(network.labels) == 10
    assert network.labels[3:6] == ("7", "crane", "crane")
    assert network.labels[-1] == "naïve 图"
    assert all(label.isprintable() and len(label) <= 200 for label in network.labels)


@pytest.mark.parametrize("channels", [1, 2, 4, 13])
def test_the_file_says_how_many_channels_go_in(tmp_path, channels: int) -> None:
    folder = write(tmp_path / "channels", state(in_chans=channels, num_classes=10), {"num_classes": 10})
    network = loaded(folder)
    assert network.input.shape == (channels, 64, 64)
    assert len(network.input.mean) == len(network.input.std) == channels
    assert network.model(torch.zeros(1, channels, 64, 64)).shape == (1, 10)
    assert any(f"takes {channels} channel" in remark for remark in network.remarks)
    assert networks.input_spec(f"local-dir:{folder}").channels == channels


def test_a_file_without_a_head_ends_in_an_embedding(tmp_path) -> None:
    for settings in ({"num_classes": 0}, {"num_classes": 1000}):
        network = loaded(write(tmp_path / "headless", state(num_classes=0), settings))
        assert network.outputs == "embedding"
        assert network.labels == ()
    assert any("no head" in remark for remark in network.remarks)


@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_a_file_that_does_not_fit_is_counted_and_named(tmp_path, ending: str) -> None:
    weights = state()
    cut = dict(list(weights.items())[:-4]) | {"wing.weight": torch.zeros(2)}
    cut["bn1.bias"] = torch.zeros(3) if "bn1.bias" in cut else cut.popitem()[1]
    folder = write(tmp_path / "cut", cut)
    if ending == "bin":
        (folder / "model.safetensors").unlink()
        torch.save(cut, folder / "pytorch_model.bin")
    sentence = r"^[^\n]*4 are lacking \(layer4[^\n]*1 is left over \(wing.weight\)"
    with pytest.raises(networks.WeightsUnavailable, match=sentence):
        loaded(folder)
    for device in ("meta", "cpu"):
        with pytest.raises(networks.CannotBuild, match=sentence):
            networks.build(f"local-dir:{folder}", device=device)


def test_a_file_that_timm_renames_is_read_as_timm_reads_it(tmp_path) -> None:
    weights = {f"module.{key}": value for key, value in state(num_classes=10).items()}
    folder = write(tmp_path / "wrapped", None, {"num_classes": 10})
    torch.save({"state_dict": weights, "epoch": 3}, folder / "pytorch_model.bin")
    assert loaded(folder).model.num_classes == 10
    assert networks.build(f"local-dir:{folder}", device="meta").num_classes == 10


def test_a_changed_file_is_looked_at_anew(tmp_path) -> None:
    folder = write(tmp_path / "changing", state(num_classes=10), {"num_classes": 10})
    assert networks.build(f"local-dir:{folder}", device="meta").num_classes == 10
    write(folder, state(num_classes=11), {"num_classes": 10})
    assert networks.build(f"local-dir:{folder}", device="meta").num_classes == 11


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        ({}, {"layers": [10**6, 1, 1, 1]}),
        ({}, {"layers": [400, 400, 1, 1]}),
        ({}, {"layers": [-1, 1, 1, 1]}),
        ({}, {"channels": [10**6] * 4}),
        ({}, {"channels": [10**400, 1, 1, 1]}),
        ({}, {"drop_path_rate": float("inf")}),
        ({}, {"drop_path_rate": float("nan")}),
        ({}, {"stem_width": 10**9}),
        ({}, {"num_classes": 10**9}),
        ({}, {"num_classes": -3}),
        ({}, {"num_classes": "ten"}),
        ({}, {"in_chans": 10**6}),
        ({}, {"in_chans": "3"}),
        ({}, {"img_size": 10**5}),
        ({}, {"img_size": [64, 10**5]}),
        ({}, {"block_args": [[[[[[[[[[1]]]]]]]]]]}),
        ({}, {"block_args": [1] * 100_000}),
        ({}, {"act_layer": "relu" * 1000}),
        ({"input_size": [10**6, 64, 64]}, {}),
        ({"input_size": [3, 20_000, 20_000]}, {}),
        ({"input_size": [3, -64, 64]}, {}),
        ({"input_size": [3, 10**400, 64]}, {}),
        ({"mean": [10**400, 0, 0]}, {}),
        ({"std": ["a", "b", "c"]}, {}),
        ({"crop_pct": 1e-9}, {}),
        ({"crop_pct": 10**400}, {}),
        ({"num_classes": 10**9}, {}),
        ({"interpolation": "sinc"}, {}),
        ({"interpolation": "random"}, {}),
        ({"interpolation": ["bicubic"]}, {}),
        ({"crop_mode": "zoom"}, {}),
    ],
)
def test_nothing_beyond_the_budgets_is_begun(tmp_path, monkeypatch, settings, arguments) -> None:
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("began to build"))
    folder = write(tmp_path / "large", None, settings, arguments)
    with pytest.raises(networks.UnknownNetwork, match=r"^large/config.json[^\n]{5,300}$"):
        networks.resolve(f"local-dir:{folder}")


@pytest.mark.parametrize("arguments", [{"layers": "many"}, {"layers": 3}, {"wings": {"of": 2}}])
def test_what_only_timm_understands_is_one_sentence_too(tmp_path, arguments) -> None:
    folder = write(tmp_path / "odd", None, {}, arguments)
    with pytest.raises(networks.CannotBuild, match=r"^[^\n]+$"):
        networks.build(f"local-dir:{folder}", device="meta")


def test_a_constructor_that_goes_on_for_ever_is_ended(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(without_memory, "MOST_CALLS", 50)
    folder = write(tmp_path / "deep", None)
    for device in ("meta", "cpu"):
        with pytest.raises(networks.CannotBuild, match="more layers than this program builds"):
            networks.build(f"local-dir:{folder}", device=device)


def test_more_parameters_than_the_machine_holds_are_refused_before_they_are_made(tmp_path) -> None:
    folder = write(tmp_path / "wide", None, {}, {"channels": [150_000] * 4})
    with pytest.raises(networks.CannotBuild, match=r"M parameters, and this machine builds"):
        networks.build(f"local-dir:{folder}")


def test_interpolation_and_crop_mode_are_kept(tmp_path) -> None:
    for interpolation in ("lanczos", "nearest", "box", "hamming"):
        config = read_config(write(tmp_path / "cfg", None, {"interpolation": interpolation}) / "config.json")
        assert config.input.interpolation == interpolation


def test_random_weights_draw_from_a_generator_of_their_own() -> None:
    """Between them they draw in every way in which timm's and torchvision's constructors do."""
    before = torch.random.get_rng_state()
    for name in (
        "timm:test_vit",
        "timm:test_byobnet",
        "timm:pit_ti_224",
        "timm:dla46_c",
        "timm:test_convnext",
        "torchvision:shufflenet_v2_x0_5",
        "explorer:resnet20",
    ):
        with own_generator(0):
            mine = networks.build(name).state_dict()
        assert torch.equal(torch.random.get_rng_state(), before)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            theirs = networks.build(name).state_dict()
        assert all(torch.equal(mine[key], value) for key, value in theirs.items())


def test_random_weights_are_the_same_beside_a_thread_that_draws(monkeypatch) -> None:
    """Before every draw the process's generator is moved, as another thread would move it."""
    first = networks.load("random:timm:test_resnet").model.state_dict()
    normal = torch.nn.init.kaiming_normal_

    def disturbed(tensor, *arguments, **options):
        torch.random.default_generator.manual_seed(int(tensor.numel()))
        return normal(tensor, *arguments, **options)

    monkeypatch.setattr(torch.nn.init, "kaiming_normal_", disturbed)
    with torch.random.fork_rng(devices=[]):
        second = networks.load("random:timm:test_resnet").model.state_dict()
    assert all(torch.equal(first[key], value) for key, value in second.items())


def test_twenty_loads_beside_a_thread_that_builds_are_one() -> None:
    names = itertools.cycle(("timm:test_vit", "timm:test_resnet", "torchvision:squeezenet1_1"))
    builds, done = [], threading.Event()

    def others() -> None:
        while not done.is_set():
            builds.append(networks.build(next(names)))

    builder = threading.Thread(target=others)
    builder.start()
    try:
        hashes = {_hash(networks.load("random:timm:resnet18")) for _ in range(20)}
    finally:
        done.set()
        builder.join()
    assert len(hashes) == 1
    assert len(builds) > 3


def _hash(network: networks.Network) -> str:
    digest = hashlib.sha256()
    for value in network.model.state_dict().values():
        digest.update(value.numpy())
    return digest.hexdigest()


@pytest.fixture
def shared(tmp_path, monkeypatch) -> Path:
    """EXPLORER_WEIGHTS with one folder, a link to one outside and a folder whose file is such a link."""
    root = tmp_path / "shared"
    write(root / "tiny", state(num_classes=10), {"num_classes": 10})
    outside = write(tmp_path / "outside", state(num_classes=10), {"num_classes": 10, "license": "SECRET"})
    (root / "linked").symlink_to(outside, target_is_directory=True)
    (root / "half").mkdir()
    (root / "half" / "config.json").symlink_to(outside / "config.json")
    write(root / "file", None)
    (root / "file" / "model.safetensors").symlink_to(outside / "model.safetensors")
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(root))
    return root


def test_hosted_nothing_that_leads_out_is_opened(shared: Path, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_HOSTED", "1")
    assert folders.shared_names() == ("tiny",)
    opened = []
    monkeypatch.setattr(Path, "read_text", lambda path, **_: opened.append(path) or "SECRET")
    for name in ("linked", "half", "file"):
        for weights_id in (
            f"folder:{name}",
            f"local-dir:{shared / name}",
            f"random:local-dir:{shared / name}",
        ):
            with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
                networks.load(weights_id)
            assert "SECRET" not in str(refused.value)
    with pytest.raises(ValueError, match="hosted explorer opens no folders"):
        networks.entry_of(f"local-dir:{shared.parent / 'outside'}")
    assert opened == []


def test_at_home_a_link_is_followed(shared: Path) -> None:
    assert {"tiny", "linked", "file"} <= set(folders.shared_names())
    assert networks.load("folder:linked").weights.licence == "SECRET"


def test_a_shared_folder_is_named_without_its_path(shared: Path) -> None:
    entry = networks.entry_of("folder:tiny")
    assert str(entry.reference) == entry.id == "folder:tiny"
    assert networks.build("folder:tiny", device="meta").num_classes == 10
    everything = [entry for entry in from_shared.all_entries() if entry.id == "folder:tiny"]
    assert everything == [entry]
    with pytest.raises(networks.UnknownNetwork) as unknown:
        networks.resolve("folder:nope")
    assert str(shared) not in str(unknown.value)


@pytest.mark.parametrize("hosted", ["", "1"])
@pytest.mark.parametrize(
    "name", ["~nosuchuser/x", "a\0b", "\0", "x" * 290, "~", "/dev/zero", "/proc/self/mem"]
)
def test_a_name_no_folder_has_is_a_sentence(name: str, hosted: str, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_HOSTED", hosted)
    for ask in (networks.resolve, networks.entry_of, networks.weights_of, networks.input_spec):
        with pytest.raises(networks.UnknownNetwork, match=r"^[^\n\0]+$"):
            ask(f"local-dir:{name}")


def test_no_message_quotes_a_file_at_length(tmp_path) -> None:
    folder = write(tmp_path / "long", None, architecture="SECRET" * 1000)
    with pytest.raises(networks.UnknownNetwork) as unknown:
        networks.resolve(f"local-dir:{folder}")
    assert len(str(unknown.value)) < 300
    (folder / "config.json").write_text(
        json.dumps({"architecture": "test_resnet", "model_args": {"x" * 9999: 1}})
    )
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        networks.build(f"local-dir:{folder}", device="meta")
    assert len(str(refused.value)) < 600


def test_a_damaged_file_is_a_sentence_wherever_it_is_asked_for(tmp_path) -> None:
    folder = write(tmp_path / "damaged", None)
    (folder / "model.safetensors").write_bytes(b"\x10" * 100)
    reference = networks.resolve(f"local-dir:{folder}")
    assert networks.entry_of(f"local-dir:{folder}").on_this_machine
    for ask in (networks.input_spec, networks.build):
        with pytest.raises(networks.CannotBuild, match=r"model.safetensors is damaged"):
            ask(reference)
    with pytest.raises(networks.WeightsUnavailable, match="cannot be read"):
        loaded(folder)
    with pytest.raises(Misfit):
        checkpoint_file.held_against(read_config(folder / "config.json"), folder / "model.safetensors")
