"""Networks of the visitor's own: what the registry takes, what code is opened, and how it is built."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from explorer import networks
from explorer.analysis import stats
from explorer.networks import UnknownNetwork
from explorer.networks.own import registry
from explorer.networks.own.registry import Settings

CODE = """
import torch
from torch import nn
from {neighbour} import Block

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.block, self.head = nn.Conv2d(3, 8, 3, padding=1), Block(8), nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.block(self.stem(x)).mean((2, 3)))

def factory(depth, width=4):
    layers = [nn.Conv2d(3 if not each else width, width, 3, bias=False) for each in range(depth)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())

made = factory(2)

class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.again = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        x = self.stem(x)
        for _ in range(3):
            x = self.again(x)
        return x.mean((2, 3))

class ByValues(nn.Module):
    def __init__(self):
        super().__init__()
        self.near, self.far = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 7)

    def forward(self, x):
        x = self.near(x) if x.mean() > -10 else self.far(x)
        return x.mean((2, 3))

class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2

@torch.library.custom_op("own_networks::leaky", mutates_args=())
def leaky(x: torch.Tensor, slope: float) -> torch.Tensor:
    return torch.where(x > 0, x, slope * x)

class CustomOps(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return (x + Doubled.apply(self.second(leaky(self.first(x), 0.1)))).mean((2, 3))

class TwoInputs(nn.Module):
    def forward(self, image, mask):
        return image * mask

class SizesByValues(nn.Module):
    def __init__(self):
        super().__init__()
        self.widths = [int(each) for each in torch.linspace(4, 8, 2)]
        self.layer = nn.Conv2d(3, self.widths[1], 1)

    def forward(self, x):
        return self.layer(x).mean((2, 3))

number = 3
def gives_a_number():
    return 3
"""
NEIGHBOUR = """
from torch import nn

class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, x):
        return x + self.norm(self.conv(x)).relu()
"""
INPUT = Settings(input=(3, 32, 32))


pytestmark = pytest.mark.usefixtures("no_own_networks")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that imports its neighbour; names that no other module has."""
    folder = tmp_path_factory.mktemp("networks")
    (folder / "neighbour_of_own_networks.py").write_text(NEIGHBOUR)
    (folder / "own_networks.py").write_text(CODE.format(neighbour="neighbour_of_own_networks"))
    return folder / "own_networks.py"


def registered(code: Path, name: str, settings: Settings = INPUT, *, learnt: bool = False) -> str:
    return registry.register(registry.opened(f"{code}:{name}", settings), f"{code} {settings}", learnt=learnt)


def test_a_class_that_imports_its_neighbour(code: Path) -> None:
    found = stats(registered(code, "Plain"))
    assert found.params == (27 + 1) * 8 + (72 + 1) * 8 + 16 + (8 + 1) * 5
    assert found.macs == 32 * 32 * (27 * 8 + 72 * 8) + 8 * 5
    assert found.receptive_field.size == (5, 5)


def test_a_factory_with_arguments(code: Path) -> None:
    deep = Settings(input=(3, 32, 32), arguments={"depth": 3, "width": 8})
    assert stats(registered(code, "factory", deep)).params == 27 * 8 + 2 * 72 * 8


def test_a_module_is_copied_each_time(code: Path) -> None:
    reference = registered(code, "made")
    first, second = networks.build(reference), networks.build(reference)
    assert first is not second
    assert torch.equal(first[0].weight, second[0].weight)


def test_a_layer_that_runs_three_times_is_counted_once_in_parameters(code: Path) -> None:
    found = stats(registered(code, "Shared"))
    assert found.params == (3 + 1) * 8 + (72 + 1) * 8
    assert found.macs == 32 * 32 * (3 * 8 + 3 * 72 * 8)
    assert found.receptive_field.size == (7, 7)


def test_one_that_decides_by_values_says_so(code: Path) -> None:
    found = stats(registered(code, "ByValues"))
    assert found.decided_by == "is_nonzero in the network itself"
    assert (found.macs, found.receptive_field.size) == (30 * 30 * 27 * 4, (3, 3))
    assert found.params == (27 + 1) * 4 + (147 + 1) * 4  # the branch that was not taken is idle


def test_operations_of_ones_own(code: Path) -> None:
    found = stats(registered(code, "CustomOps"))
    assert found.macs == 2 * 32 * 32 * 27 * 3
    assert found.params == 2 * (27 + 1) * 3


def test_a_constructor_that_computes(code: Path) -> None:
    assert stats(registered(code, "SizesByValues")).params == (3 + 1) * 8


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("TwoInputs", INPUT, r"takes 2 inputs \(image, mask\)"),
        ("factory", INPUT, "missing a required argument: 'depth'.*--arguments '{.depth.: ...}'"),
        ("Plan", INPUT, "there: Plain"),
        ("number", INPUT, "is of type int; name a module"),
        ("gives_a_number", INPUT, "gives a int, and no module"),
        ("made", Settings(arguments={"depth": 1}), "a module already made"),
    ],
)
def test_what_is_no_network_is_said_with_a_way_out(
    code: Path, name: str, settings: Settings, said: str
) -> None:
    with pytest.raises(UnknownNetwork, match=said):
        stats(registered(code, name, settings))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("import nothing_called_so", "needs nothing_called_so, which is neither beside it nor installed"),
        ("x = (", "line 1 of broken.py"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(1)", "it ends the program"),
        ("from .near import x", "relative to a package"),
    ],
)
def test_a_file_that_cannot_be_imported(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "broken.py").write_text(content)
    with pytest.raises(UnknownNetwork, match=f"broken.py cannot be imported: .*{said}"):
        stats(registered(tmp_path / "broken.py", "Net"))


def test_a_file_in_a_package_imports_relatively(tmp_path: Path) -> None:
    package = tmp_path / "package_of_own_networks"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "blocks.py").write_text(NEIGHBOUR)
    (package / "net.py").write_text("from .blocks import Block\ndef net():\n    return Block(3)\n")
    assert stats(registered(package / "net.py", "net")).params == (27 + 1) * 3 + 6


def test_names_that_modules_of_others_have_are_no_hindrance(tmp_path: Path) -> None:
    """A file called as a module of Python or of a package is imported beside it, and hides it from nobody."""
    (tmp_path / "random.py").write_text("from torch import nn\nnet = nn.Conv2d(3, 4, 1)\n")
    assert stats(registered(tmp_path / "random.py", "net")).params == 16
    import random

    assert random.Random(0).random() < 1


def test_two_neighbours_of_one_name_are_refused_rather_than_mixed_up(tmp_path: Path) -> None:
    for folder, width in (("one", 4), ("two", 8)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "widths_of_own.py").write_text(f"WIDTH = {width}\n")
        code = "from torch import nn\nfrom widths_of_own import WIDTH\nnet = nn.Conv2d(3, WIDTH, 1)\n"
        (tmp_path / folder / f"net_{folder}.py").write_text(code)
    assert stats(registered(tmp_path / "one" / "net_one.py", "net")).params == 16
    with pytest.raises(UnknownNetwork, match="both have a widths_of_own"):
        stats(registered(tmp_path / "two" / "net_two.py", "net"))


def test_two_files_of_one_name_are_two_networks(tmp_path: Path) -> None:
    for folder, width in (("old", 4), ("new", 8)):
        (tmp_path / folder).mkdir()
        code = f"from torch import nn\nnet = nn.Conv2d(3, {width}, 1)\n"
        (tmp_path / folder / "version_of_own.py").write_text(code)
    references = [registered(tmp_path / folder / "version_of_own.py", "net") for folder in ("old", "new")]
    assert references == ["own:net", "own:net-2"]
    assert [stats(each).params for each in references] == [16, 32]


def test_a_module_of_an_installed_package() -> None:
    reference = registry.register(
        registry.opened("torchvision.models:resnet18", Settings()), "", learnt=False
    )
    assert stats(reference).params == 11_689_512  # as torchvision publishes


def test_the_second_of_a_name_gets_a_number(code: Path) -> None:
    assert [registered(code, "Plain") for _ in range(2)] == ["own:Plain", "own:Plain-2"]


def test_weights_and_names_of_classes_from_files(code: Path, tmp_path: Path) -> None:
    reference = registered(code, "Plain")
    torch.manual_seed(7)
    state = networks.build(reference).state_dict()
    save_file(state, tmp_path / "trained.safetensors")
    torch.save({"state_dict": state}, tmp_path / "trained.pth")
    (tmp_path / "classes.txt").write_text("\n".join("abcde"))
    for file in ("trained.safetensors", "trained.pth"):
        settings = Settings(
            input=(3, 32, 32),
            weights=tmp_path / file,
            labels=tmp_path / "classes.txt",
            mean=(0.5,),
            resize=40,
        )
        loaded = networks.load(registered(code, "Plain", settings, learnt=True))
        assert torch.equal(loaded.model.stem.weight, state["stem.weight"])
        assert loaded.labels == tuple("abcde")
        assert (loaded.input.mean, loaded.input.resize) == ((0.5,) * 3, 40)
        assert not loaded.weights.untrained


def test_weights_of_another_network_are_refused_by_name(code: Path, tmp_path: Path) -> None:
    save_file({"stem.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    settings = Settings(input=(3, 32, 32), weights=tmp_path / "other.safetensors")
    with pytest.raises(networks.WeightsUnavailable) as refused:
        networks.load(registered(code, "Plain", settings, learnt=True))
    said = str(refused.value)
    assert said.startswith(
        "own:Plain cannot be read: its file of weights does not fit own_networks.py:Plain: of "
    )
    assert "are lacking (" in said
    assert "1 is of another shape (stem.weight [1] for [" in said


@pytest.mark.parametrize("prefix", ["model.", "net.module."])
def test_a_training_script_s_prefix_is_taken_off(code: Path, tmp_path: Path, prefix: str) -> None:
    reference = registered(code, "Plain")
    trained = networks.build(reference, seed=3).state_dict()
    torch.save({"state_dict": {prefix + k: v for k, v in trained.items()}}, tmp_path / "last.ckpt")
    settings = Settings(input=(3, 32, 32), weights=tmp_path / "last.ckpt")
    loaded = networks.load(registered(code, "Plain", settings, learnt=True)).model.state_dict()
    assert all(torch.equal(value, trained[name]) for name, value in loaded.items())


def test_without_weights_it_is_said_to_have_learnt_nothing(code: Path) -> None:
    reference = registered(code, "Plain")
    assert networks.weights_of(reference) == ()
    assert networks.entry_of(f"random:{reference}").untrained
    chosen = networks.choose_weights(reference)  # as the Inference page takes them
    assert chosen == networks.entry_of(f"random:{reference}")
    assert "random" in chosen.remarks[0]
    assert isinstance(networks.load(chosen.id).model, nn.Module)


def test_a_link_chooses_among_the_registered_only(code: Path) -> None:
    registered(code, "Plain")
    assert networks.resolve("own:Plain").title == "Plain"
    for link in (f"own:{code}:Plain", f"{code}:Plain", "own:factory", f"own:../{code}", str(code)):
        with pytest.raises(UnknownNetwork):
            networks.resolve(link)


def test_a_hosted_explorer_opens_none(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = registry.opened(f"{code}:Plain", INPUT)
    monkeypatch.setenv("EXPLORER_HOSTED", "1")
    with pytest.raises(UnknownNetwork, match="A hosted explorer"):
        registry.opened(f"{code}:Plain", INPUT)
    with pytest.raises(UnknownNetwork, match="A hosted explorer"):
        registry.register(network, "", learnt=False)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), ((3, 224, 224), 256, (0.485, 0.456, 0.406))),
        (Settings(input=(1, 28, 28)), ((1, 28, 28), 28, (0.5,))),
        (Settings(input=(4, 448, 448)), ((4, 448, 448), 512, (0.5,) * 4)),
        (Settings(input=(3, 96, 160), mean=(0.1, 0.2, 0.3)), ((3, 96, 160), 96, (0.1, 0.2, 0.3))),
        (Settings(resize=232), ((3, 224, 224), 232, (0.485, 0.456, 0.406))),
    ],
)
def test_the_usual_preparation_and_what_is_said_instead(
    code: Path, settings: Settings, expected: tuple[tuple[int, ...], int, tuple[float, ...]]
) -> None:
    spec = networks.input_spec(registered(code, "Plain", settings))
    assert (spec.shape, spec.resize, spec.mean) == expected


def test_as_many_means_as_channels() -> None:
    with pytest.raises(UnknownNetwork, match="--mean has 2 numbers, and the input 3 channels"):
        Settings(mean=(0.1, 0.2)).over(networks.input_spec("explorer:resnet20"))
