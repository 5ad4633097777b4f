"""A graph of ONNX's is the network that was exported to it: the same counts, the same receptive field, the
same answers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from explorer.analysis import receptive_fields, stats_of, trace_module
from explorer.networks import UnknownNetwork
from explorer.networks.own import graph, onnx_network
from explorer.networks.own.onnx_operations import NotHere
from explorer.networks.own.registry import Settings

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def written(
    path: Path,
    nodes: list[Any],
    weights: dict[str, torch.Tensor] | None = None,
    shape: tuple[Any, ...] = (1, 3, 16, 16),
    inputs: tuple[str, ...] = ("x",),
    output: tuple[Any, ...] | None = None,
) -> Path:
    """A file with these operations from "x" to "y"."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, FLOAT, shape) for name in inputs],
        [helper.make_tensor_value_info("y", FLOAT, output)],
        [numpy_helper.from_array(value.numpy(), name) for name, value in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets), str(path))
    return path


def network(path: Path, *, with_weights: bool = True) -> nn.Module:
    return onnx_network.read(path).network(with_weights=with_weights).eval()


def answer(path: Path, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(path)(x)


def drawn(model: nn.Module) -> nn.Module:
    """No two tensors alike: the exporter keeps equal ones once."""
    generator = torch.Generator().manual_seed(1)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.data.copy_(torch.rand(tensor.shape, generator=generator) * 0.1 + 0.01)
    return model.eval()


@pytest.fixture(scope="module")
def resnet18(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    from torchvision import models

    model, path = drawn(models.resnet18()), tmp_path_factory.mktemp("onnx") / "resnet18.onnx"
    torch.onnx.export(
        model,
        (torch.zeros(1, 3, 64, 64),),
        str(path),
        dynamo=False,
        # As it stands: otherwise the exporter merges each normalisation into the convolution before it.
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        dynamic_axes={"x": {0: "batch", 2: "height", 3: "width"}},
        input_names=["x"],
    )
    return model, path


def test_resnet_18_counts_sees_and_answers_as_in_torch(resnet18: tuple[nn.Module, Path]) -> None:
    theirs, path = resnet18
    with torch.device("meta"):
        ours = network(path, with_weights=False)
    ours_traced = trace_module(ours, (1, 3, 224, 224), "ours")
    theirs_traced = trace_module(theirs, (1, 3, 224, 224), "theirs")
    names, wanted_names = ([op.name.rstrip("_") for op in t.ops] for t in (ours_traced, theirs_traced))
    assert names == wanted_names
    for count in ("params", "macs", "activations"):
        assert getattr(ours_traced, count) == getattr(theirs_traced, count)
    assert ours_traced.uncounted == ()
    fields, wanted = receptive_fields(ours_traced), receptive_fields(theirs_traced)
    assert list(fields.values()) == list(wanted.values())
    # A ReLU that is called twice is one module there and two here; what has weights has one place in both.
    rows, wanted_rows = (
        {row.path: row.receptive_field for row in stats_of(traced).layers if row.params}
        for traced in (ours_traced, theirs_traced)
    )
    assert rows == wanted_rows
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(answer(path, x), theirs(x))


def test_as_ones_own_network_it_says_its_input_and_is_read(
    resnet18: tuple[nn.Module, Path], tmp_path
) -> None:
    theirs, path = resnet18
    (tmp_path / "labels.txt").write_text("\n".join(f"kind {number}" for number in range(1000)))
    own = graph.opened(str(path), Settings(labels=tmp_path / "labels.txt"))
    assert (own.name, own.shown) == ("resnet18", "resnet18.onnx")
    assert own.input_spec().shape == (3, 224, 224)
    assert not own.input_spec().fixed
    model, _, labels = own.read()
    assert labels[7] == "kind 7"
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(x), theirs(x))
    (tmp_path / "labels.txt").write_text("cat\ndog")
    with pytest.raises(UnknownNetwork, match=r"names 2 classes, and resnet18.onnx has 1,000 outputs"):
        graph.opened(str(path), Settings(labels=tmp_path / "labels.txt"))


X = torch.rand(1, 4, 6, 6, generator=torch.Generator().manual_seed(2)) - 0.5
W = torch.rand(6, 4, 3, 3, generator=torch.Generator().manual_seed(3)) - 0.5


def _same(x: torch.Tensor, stride: int) -> torch.Tensor:
    """TensorFlow's padding: 6 pixels at stride 2 need one more, which it puts at the end."""
    pads = (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1)
    return nn.functional.conv2d(nn.functional.pad(x, pads), W, stride=stride)


def blocks(x: torch.Tensor, order: str) -> torch.Tensor:
    """Depth to space by two, written out element by element."""
    y = torch.empty(1, 1, 12, 12)
    for row in range(12):
        for column in range(12):
            r, c = row % 2, column % 2
            y[0, 0, row, column] = x[0, 2 * r + c, row // 2, column // 2]
    return y


@pytest.mark.parametrize(
    ("operation", "attributes", "weights", "wanted"),
    [
        ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {"w": W}, lambda: _same(X, 2)),
        ("Conv", {"auto_pad": "SAME_LOWER"}, {"w": W}, lambda: _same(X, 1)),
        (
            "Conv",
            {"pads": [0, 1, 2, 1]},
            {"w": W},
            lambda: nn.functional.conv2d(nn.functional.pad(X, (1, 1, 0, 2)), W),
        ),
        ("DepthToSpace", {"blocksize": 2, "mode": "DCR"}, {}, lambda: blocks(X, "DCR")),
        ("LRN", {"size": 3}, {}, lambda: nn.functional.local_response_norm(X, 3)),
        ("Flatten", {"axis": 0}, {}, lambda: X.reshape(1, -1)),
        ("Softmax", {"axis": 1}, {}, lambda: X.softmax(1)),
        ("ReduceMean", {"axes": [2, 3], "keepdims": 0}, {}, lambda: X.mean((2, 3))),
        ("Reshape", {}, {"s": torch.tensor([0, -1])}, lambda: X.flatten(1)),
        ("Gather", {"axis": 1}, {"i": torch.tensor([-1, 0])}, lambda: X[:, [-1, 0]]),
        ("Gather", {"axis": 3}, {"i": torch.tensor(-2)}, lambda: X[..., -2]),
        ("Unsqueeze", {}, {"a": torch.tensor([0, -1])}, lambda: X[None, ..., None]),
        (
            "Pad",
            {},
            {"p": torch.tensor([0, 0, 1, 2, 0, 0, 0, 1])},
            lambda: nn.functional.pad(X, (2, 1, 1, 0)),
        ),
        (
            "Slice",
            {},
            {"b": torch.tensor([1, -3]), "e": torch.tensor([2**62, -1]), "a": torch.tensor([1, 3])},
            lambda: X[:, 1:, :, -3:-1],
        ),
        ("Clip", {}, {"l": torch.tensor(0.0), "h": torch.tensor(6.0)}, lambda: X.clamp(0, 6)),
        ("HardSigmoid", {}, {}, lambda: (0.2 * X + 0.5).clamp(0, 1)),
        ("Resize", {"mode": "linear"}, {"r": torch.tensor([]), "s": torch.tensor([1.0, 1, 2, 2])}, None),
    ],
)
def test_an_operation_means_what_onnx_says(tmp_path, operation, attributes, weights, wanted) -> None:
    node = helper.make_node(operation, ["x", *weights], ["y"], **attributes)
    path = written(tmp_path / "one.onnx", [node], weights, tuple(X.shape))
    found = answer(path, X)
    if wanted is None:
        wanted = lambda: nn.functional.interpolate(X, scale_factor=2, mode="bilinear")  # noqa: E731
    torch.testing.assert_close(found, wanted())


def test_a_linear_layer_is_one_however_it_is_written(tmp_path: Path) -> None:
    weight = torch.rand(5, 48)
    flat = helper.make_node("Flatten", ["x"], ["f"])
    forms = {
        "gemm": ([helper.make_node("Gemm", ["f", "w"], ["y"], transB=1)], weight),
        "product": ([helper.make_node("MatMul", ["f", "w"], ["y"])], weight.t().contiguous()),
        "turned": (
            [helper.make_node("Transpose", ["w"], ["t"]), helper.make_node("MatMul", ["f", "t"], ["y"])],
            weight,
        ),
    }
    x = torch.rand(1, 3, 4, 4)
    for name, (nodes, held) in forms.items():
        path = written(tmp_path / f"{name}.onnx", [flat, *nodes], {"w": held}, (1, 3, 4, 4))
        torch.testing.assert_close(answer(path, x), x.flatten(1) @ weight.t())
        traced = trace_module(network(path), (1, 3, 4, 4), name)
        assert (traced.params, traced.macs, traced.activations) == (240, 240, 5)
        assert stats_of(traced).depth == 1


def test_what_is_not_in_the_table_is_named_and_not_counted(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Wavelet", ["x"], ["h"], domain="own"),
        helper.make_node("Relu", ["h"], ["y"]),
    ]
    path = written(tmp_path / "own.onnx", nodes, output=(1, 3, 16, 16))
    with pytest.raises(NotHere, match="Wavelet, which is unknown here, and the file does not tell its shape"):
        trace_module(network(path), (1, 3, 16, 16), "own")
    model = onnx.load(str(path))
    model.graph.value_info.append(helper.make_tensor_value_info("h", FLOAT, (1, 3, 16, 16)))
    onnx.save(model, str(path))
    traced = trace_module(network(path), (1, 3, 16, 16), "own")
    assert traced.uncounted == ("Wavelet",)
    with pytest.raises(NotHere, match="its numbers cannot be computed"):
        answer(path, torch.rand(1, 3, 16, 16))


RELU = helper.make_node("Relu", ["x"], ["y"])
BRANCH = helper.make_node(
    "If",
    ["x"],
    ["y"],
    then_branch=helper.make_graph([], "a", [], []),
    else_branch=helper.make_graph([], "b", [], []),
)


@pytest.mark.parametrize(
    ("nodes", "options", "says"),
    [
        ([RELU], {"inputs": ("x", "mask")}, r"it takes 2 inputs \(x, mask\)"),
        ([RELU], {"shape": (1, 3, 16)}, "its input has 3 dimensions"),
        ([RELU], {"shape": (1, 16, 16, 3)}, "channels last"),
        ([BRANCH], {}, "branches or loops"),
        ([helper.make_node("Relu", ["x"], ["y"])] * 20_001, {}, "20,001 operations"),
    ],
)
def test_what_is_no_network_of_one_picture_is_a_sentence(tmp_path, nodes, options, says: str) -> None:
    path = written(tmp_path / "odd.onnx", nodes, **options)
    with pytest.raises(UnknownNetwork, match=rf"^odd\.onnx cannot be opened: [^\n]*{says}[^\n]*\.$"):
        graph.opened(str(path), Settings())


@pytest.mark.parametrize("content", [b"", b"\x10" * 100, b"\x08\x07"])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "damaged.onnx").write_bytes(content)
    with pytest.raises(UnknownNetwork, match=r"^damaged\.onnx cannot be opened: [^\n]+\.$"):
        graph.opened(str(tmp_path / "damaged.onnx"), Settings())


def function(name: str, *calls: str) -> Any:
    """A function of the file's own that calls others in turn."""
    values = ["a", *map(str, range(len(calls) - 1)), "b"]
    nodes = [
        helper.make_node(call, [values[at]], [values[at + 1]], domain="" if call == "Relu" else "own")
        for at, call in enumerate(calls)
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_function("own", name, ["a"], ["b"], nodes, opsets)


@pytest.mark.parametrize(
    ("functions", "says"),
    [
        ([function("Call", "Call")], "no valid graph"),
        ([function("Call", "B"), function("B", "Call")], "no valid graph"),
        (
            [
                function("Call", "F1", "F1"),
                *(function(f"F{n}", f"F{n + 1}", f"F{n + 1}") for n in range(1, 40)),
                function("F40", "Relu"),
            ],
            r"1,099,511,627,776 operations",
        ),
    ],
    ids=["itself", "in a circle", "doubling"],
)
def test_functions_without_an_end_are_a_sentence(tmp_path: Path, functions: list[Any], says: str) -> None:
    path = written(tmp_path / "net.onnx", [helper.make_node("Call", ["x"], ["y"], domain="own")])
    model = onnx.load(str(path))
    model.functions.extend(functions)
    onnx.save(model, str(path))
    with pytest.raises(UnknownNetwork, match=says):
        graph.opened(str(path), Settings())


def test_places_may_be_called_as_torch_calls_something_else(tmp_path: Path) -> None:
    names = ["/forward/Relu", "/training/steps/Relu", "/graph/held/Relu", "/node/taken/Relu", "/type/T/Relu"]
    values = ["x", *names[:-1], "y"]
    nodes = [
        helper.make_node("Relu", [given], [made], name=name)
        for name, given, made in zip(names, values, values[1:], strict=False)
    ]
    model = network(written(tmp_path / "net.onnx", nodes))
    assert model(torch.full((1, 3, 16, 16), -1.0)).abs().max() == 0
    assert "training_.steps_" in dict(model.named_modules())


@pytest.mark.parametrize("shape", [(1, 10**9, 16, 16), (1, 3, 2**40, 2**40)])
def test_a_picture_beyond_all_bounds_is_a_sentence(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = written(tmp_path / "net.onnx", [helper.make_node("Relu", ["x"], ["y"])], shape=shape)
    with pytest.raises(UnknownNetwork, match="up to 1,024 channels and 65,536 pixels a side"):
        graph.opened(str(path), Settings())


def test_a_constant_beyond_all_bounds_is_not_made(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["s"], ["c"]),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    path = written(tmp_path / "huge.onnx", nodes, {"s": torch.tensor([10**6, 10**6])})
    with pytest.raises(NotHere, match="a constant of 1,000,000,000,000 elements"):
        trace_module(network(path), (1, 3, 16, 16), "huge")


@pytest.mark.parametrize(
    ("location", "is_read"), [("weights.bin", True), ("../weights.bin", False), ("/etc/hostname", False)]
)
def test_weights_beside_the_file_are_read_from_its_folder_alone(
    tmp_path, location: str, is_read: bool
) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    weight = torch.rand(6, 3, 3, 3)
    for place in (tmp_path, folder):
        (place / "weights.bin").write_bytes(weight.numpy().tobytes())
    path = written(folder / "net.onnx", [helper.make_node("Conv", ["x", "w"], ["y"])], {"w": weight})
    model = onnx.load(str(path))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    x = torch.rand(1, 3, 16, 16)
    if is_read:
        torch.testing.assert_close(answer(path, x), nn.functional.conv2d(x, weight))
    else:
        assert trace_module(network(path, with_weights=False), (1, 3, 16, 16), "shapes").params == 162
        with pytest.raises(onnx_network.Unreadable, match="which is no file in its folder"):
            network(path)


def test_an_input_that_the_file_contradicts_is_a_sentence(tmp_path: Path) -> None:
    path = written(tmp_path / "small.onnx", [RELU])
    assert graph.opened(str(path), Settings()).input_spec().shape == (3, 16, 16)
    with pytest.raises(UnknownNetwork, match=r"was exported for 3x16x16, and --input says 3x32x32"):
        graph.opened(str(path), Settings(input=(3, 32, 32)))


def test_without_the_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UnknownNetwork, match=r"pip install onnx\.$"):
        graph.opened(str(tmp_path / "net.onnx"), Settings())
