"""Networks from outside, run: what they answer with, and what they raise."""

import json

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from torch import nn

from explorer import networks
from explorer.__main__ import main
from explorer.inference import explain, overlay, top_features
from explorer.inference.preprocessing import prepare
from explorer.labs.mistakes.runs import right
from explorer.networks import CannotRun, InputSpec, Network, WeightsEntry, resolve
from explorer.networks.labels import outputs_of
from explorer.networks.running import told
from explorer.serving import Pool
from tests.checkpoints import state, write


def loaded(folder) -> Network:
    return networks.load(f"local-dir:{folder}")


def test_one_output_is_the_probability_of_yes(tmp_path, chelsea) -> None:
    weights = state(num_classes=1)
    network = loaded(write(tmp_path / "one", weights, {"num_classes": 1}))
    theirs = timm.create_model("test_resnet", num_classes=1).eval()
    theirs.load_state_dict(weights)
    chance = float(theirs(prepare(chelsea, network.input).x).sigmoid())
    yes, no = explain(network, chelsea, target=0), explain(network, chelsea, target=1)
    assert yes.answers_with == "yes or no"
    assert {each.label: each.probability for each in yes.predictions} == pytest.approx(
        {"yes": chance, "no": 1 - chance}, abs=1e-6
    )
    assert (yes.explained.label, no.explained.label) == ("yes", "no")
    np.testing.assert_allclose(yes.contributions, -no.contributions)
    assert not np.array_equal(yes.heatmap, no.heatmap)
    named = loaded(write(tmp_path / "one", weights, {"num_classes": 1, "label_names": ["cat"]}))
    assert named.labels == ("cat", "not cat")


def test_an_embedding_has_no_probabilities(tmp_path, chelsea) -> None:
    network = loaded(write(tmp_path / "headless", state(num_classes=0), {"num_classes": 0}))
    found = explain(network, chelsea)
    assert found.answers_with == "embedding"
    assert (found.predictions, found.explained, found.target, found.contributions) == ((), None, None, None)
    rms = np.sqrt((found.features.astype(np.float64) ** 2).mean(axis=0))
    np.testing.assert_allclose(found.cam, rms, rtol=1e-5)
    assert found.heatmap.max() == pytest.approx(1)
    assert len(top_features(found, 3)) == 3
    overlay(found)
    with pytest.raises(ValueError, match="no class 3"):
        explain(network, chelsea, target=3)
    with pytest.raises(ValueError, match="no class score"):
        top_features(found, 3, "contribution")


@pytest.mark.parametrize(
    ("name", "answers_with"),
    [
        ("vit_base_patch16_clip_224.openai", "embedding"),
        ("vit_small_patch14_dinov2.lvd142m", "embedding"),
        ("resnet50_clip.openai", "embedding"),
        ("convnext_tiny.fb_in22k", "classes"),
        ("mvitv2_base_cls.fb_inw21k", "classes"),
        ("resnet50.a1_in1k", "classes"),
    ],
)
def test_timm_s_headless_names_are_known(name: str, answers_with: str) -> None:
    assert outputs_of(networks.build(f"timm:{name}", device="meta")) == answers_with


def test_a_grey_network_gets_a_grey_picture(tmp_path, chelsea) -> None:
    network = loaded(write(tmp_path / "grey", state(in_chans=1), {}, {"in_chans": 1}))
    found = explain(network, chelsea)
    assert (found.view[..., 0] == found.view[..., 1]).all()
    assert len(found.predictions) == 5


@pytest.mark.parametrize("channels", [2, 4])
def test_other_channels_are_refused_before_a_picture_is_sent_through(tmp_path, chelsea, channels) -> None:
    network = loaded(write(tmp_path / "channels", state(in_chans=channels), {}))
    network.model.register_forward_hook(lambda *_: pytest.fail("a picture was sent through"))
    with pytest.raises(ValueError, match=rf"takes {channels} channels and a picture has 3"):
        prepare(chelsea, network.input)
    with pytest.raises(ValueError, match=rf"takes {channels} channels and a picture has 3"):
        explain(network, chelsea)


@pytest.mark.parametrize("value", [1e38, float("nan"), float("inf")])
def test_outputs_that_are_not_finite_are_said_so(tmp_path, chelsea, value: float) -> None:
    weights = state()
    weights["conv1.0.weight"].fill_(value)
    with pytest.raises(CannotRun, match="its outputs are not finite"):
        explain(loaded(write(tmp_path / "infinite", weights)), chelsea)
    headless = {key: each for key, each in weights.items() if not key.startswith("fc.")}
    with pytest.raises(CannotRun, match="not finite"):
        explain(loaded(write(tmp_path / "headless", headless, {"num_classes": 0})), chelsea)


class Toy(nn.Module):
    """A convolution, and then whatever a test wants."""

    def __init__(self, then):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.then = then

    def forward(self, x):
        return self.then(self.conv(x))


def toy(then, outputs="classes") -> Network:
    reference = resolve("timm:test_resnet")
    torch.manual_seed(0)
    model = Toy(then).eval().requires_grad_(False)
    entry = WeightsEntry("toy:net", reference, "Toy")
    return Network(model, reference, entry, InputSpec((3, 16, 16), 16), (), outputs)


def raising(error: Exception):
    def then(_):
        raise error

    return then


@pytest.mark.parametrize(
    ("then", "sentence"),
    [
        (lambda x: x, "a tensor of 1 × 4 × 16 × 16"),
        (lambda x: (x.mean((2, 3)), x), "2 results of tuple type"),
        (lambda x: {"logits": x.mean((2, 3))}, "1 results of dict type"),
        (lambda x: "cat", "a str"),
        (lambda x: x.mean((2, 3)) / 0, "not finite"),
        (lambda x: x.flatten(1) @ torch.zeros(7, 3), "toy:net does not run on this: "),
        (raising(MemoryError()), "needs more memory"),
        (raising(RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")), "needs more memory"),
        (raising(NotImplementedError("no such kernel\nat line 3")), "no such kernel."),
        (raising(ValueError("Expected more than 1 value per channel")), "toy:net does not run on this: Exp"),
        (raising(KeyError("x")), "toy:net does not run on this: KeyError: 'x'"),
        (raising(AssertionError()), "AssertionError"),
        (raising(ZeroDivisionError("division by zero")), "division by zero"),
    ],
)
def test_whatever_a_network_does_is_one_sentence_that_names_it(then, sentence: str, chelsea) -> None:
    pool = Pool(10**9, "cpu", lambda *_: toy(then))
    with pytest.raises(CannotRun, match=r"^[^\n]+$") as refused:
        pool.run("toy:net", lambda network: explain(network, chelsea, layer=None))
    assert sentence in str(refused.value)
    assert pool.counters().leases == 0


def test_the_sentences_and_the_mistakes_of_the_program_itself_stay_as_they_are() -> None:
    for error in (ValueError("no such layer"), KeyError("x"), CannotRun("said")):
        assert told("a network", error) is error


def test_a_gradient_that_is_not_finite_is_said_so(chelsea) -> None:
    # The square root's answer is finite and its gradient at 0 is not.
    network = toy(lambda x: (x * 0).square().sum((2, 3)).sqrt())
    with pytest.raises(CannotRun, match="not finite"):
        explain(network, chelsea)


def test_huge_scores_are_probabilities_all_the_same(chelsea) -> None:
    cases = {
        "classes": lambda x: x.mean((2, 3)) * 1e30,
        "yes or no": lambda x: x.mean((1, 2, 3))[:, None] * 1e30,
    }
    for outputs, then in cases.items():
        found = explain(toy(then, outputs), chelsea)
        assert sum(each.probability for each in found.predictions) == pytest.approx(1)


@pytest.fixture
def picture(tmp_path, chelsea):
    chelsea.save(tmp_path / "chelsea.png")
    return str(tmp_path / "chelsea.png")


def theirs(folder, picture: str, corrected: dict[str, int]) -> torch.Tensor:
    """Scores of timm's own network of this folder, for the picture prepared by timm's own transform.

    corrected: of its config.json, what contradicts its file: timm would give the network a random head.
    """
    model = timm.create_model(f"local-dir:{folder}", pretrained=True, pretrained_cfg_overlay=corrected).eval()
    settings = resolve_data_config(model=model)
    image = Image.open(picture).convert("L" if settings["input_size"][0] == 1 else "RGB")
    with torch.no_grad():
        return model(create_transform(**settings)(image)[None])[0]


def printed(capsys, *words: str) -> tuple[int, str, str]:
    return main(list(words)), *capsys.readouterr()


@pytest.fixture
def commands(tmp_path, picture, monkeypatch, short_measurements):
    """`commands(folder)`: each command that takes a network, for this one, as JSON; explain is the first."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))

    def of(folder) -> list[list[str]]:
        name, out = f"local-dir:{folder}", str(tmp_path / "out")
        return [
            ["explain", picture, "--model", name, "--out", out, "--json"],
            ["stats", name, "--json"],
            ["diagram", name, "--json"],
            ["benchmark", name, "--device", "cpu", "--json"],
        ]

    return of


def test_each_command_answers_as_timm_does(tmp_path, picture, commands, capsys) -> None:
    ten, few = state(num_classes=10), {"num_classes": 10}
    grey = {"input_size": [1, 64, 64], "mean": [0.4], "std": [0.2]}
    folders = {
        "contradicted": write(tmp_path / "contradicted", ten, {}, {}, num_classes=5),
        "lanczos": write(tmp_path / "lanczos", ten, {**few, "interpolation": "lanczos"}),
        "nearest": write(tmp_path / "nearest", ten, {**few, "interpolation": "nearest"}),
        "oblong": write(tmp_path / "oblong", ten, {**few, "input_size": [3, 96, 64]}),
        "half": write(tmp_path / "half", {key: each.half() for key, each in ten.items()}, few),
        "two": write(tmp_path / "two", state(num_classes=2), {"num_classes": 2}),
        "grey": write(tmp_path / "grey", state(in_chans=1), grey, {"in_chans": 1}),
        "one": write(tmp_path / "one", state(num_classes=1), {"num_classes": 1}),
        "headless": write(tmp_path / "headless", state(num_classes=0), {"num_classes": 0}),
    }
    for name, folder in folders.items():
        for words in commands(folder):
            code, out, said = printed(capsys, *words)
            assert code == 0, (name, words, said)
            assert ("file is right" in said) == (name == "contradicted"), name
            answer = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
            if words[0] == "explain":
                scores = theirs(folder, picture, {"num_classes": 10} if name == "contradicted" else {})
                yes = scores.sigmoid()
                shares = {"one": torch.cat([yes, 1 - yes]), "headless": scores[:0]}.get(
                    name, scores.softmax(0)
                )
                best = shares.topk(min(5, len(shares)))
                assert [each["index"] for each in answer["predictions"]] == best.indices.tolist(), name
                assert [each["probability"] for each in answer["predictions"]] == pytest.approx(
                    best.values.tolist(), abs=1e-6
                )
                kind = {"one": "yes or no", "headless": "embedding"}.get(name, "classes")
                assert answer["answers_with"] == kind


class Touches:
    """A pickle of it makes a file where it is read as Python's own are."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return type(self.path).touch, (self.path,)


def test_each_command_says_one_line_where_there_is_no_answer(tmp_path, commands, capsys) -> None:
    """Whose answer alone is wrong has shapes and costs all the same."""
    ten = {"num_classes": 10}
    infinite, pierced = state(), state()
    infinite["conv1.0.weight"].fill_(1e38)
    pierced["fc.weight"][3, 5] = float("nan")
    no_answer = {
        "its outputs are not finite": write(tmp_path / "infinite", infinite),
        "outputs are not finite": write(tmp_path / "pierced", pierced),
    }
    no_picture = {"takes 4 channels": write(tmp_path / "four", state(in_chans=4), {}, {"in_chans": 4})}
    empty = write(tmp_path / "empty", None, ten)
    (empty / "model.safetensors").write_bytes(b"")
    running = write(tmp_path / "running", None, ten)
    torch.save({"state_dict": Touches(tmp_path / "touched")}, running / "pytorch_model.bin")
    counted = write(tmp_path / "counted", None, ten)
    torch.save({**state(num_classes=10), "epochs": 3}, counted / "pytorch_model.bin")
    endless = write(tmp_path / "endless", state(num_classes=10))
    (endless / "config.json").unlink()
    (endless / "config.json").symlink_to("/dev/zero")
    all_commands = {
        "does not run": write(tmp_path / "unpooled", state(), {}, {"global_pool": ""}),
        "4 are lacking": write(tmp_path / "cut", dict(list(state().items())[:-4])),
        "blocks": write(tmp_path / "deep", None, {}, {"layers": [10**6, 1, 1, 1]}),
        "in_chans": write(tmp_path / "many", None, {"input_size": [10**6, 64, 64]}, {"in_chans": 10**6}),
        "pixels a side": write(tmp_path / "huge", state(num_classes=10), {"input_size": [3, 20_000, 20_000]}),
        "model.safetensors is damaged": empty,
        "pytorch_model.bin holds more than tensors": running,
        "1 is left over (epochs)": counted,
        "cannot be read": endless,
        "may not set features_only": write(tmp_path / "features", None, ten, {"features_only": True}),
        "may not set device": write(tmp_path / "device", None, ten, {"device": "cuda"}),
        "unknown to timm": write(tmp_path / "unknown", None, ten, architecture="wings"),
    }
    for folders, refusing in (
        (no_picture, ("explain",)),
        (no_answer, ("explain", "benchmark")),
        (all_commands, ("explain", "stats", "diagram", "benchmark")),
    ):
        for said, folder in folders.items():
            for words in commands(folder):
                if words[0] in refusing:
                    code, out, error = printed(capsys, *words)
                    assert (code, out, error.count("\n")) == (2, "", 1), (words, error)
                    assert said in error
    assert not (tmp_path / "touched").exists()


def test_a_lab_names_the_network_that_does_not_run_right(tmp_path, chelsea) -> None:
    infinite = state()
    infinite["conv1.0.weight"].fill_(1e38)
    for said, folder in {
        "does not run on this: ": write(tmp_path / "unpooled", state(), {}, {"global_pool": ""}),
        "cannot be explained: its outputs are not finite.": write(tmp_path / "infinite", infinite),
    }.items():
        with pytest.raises(CannotRun) as refused:
            right(loaded(folder), chelsea)
        assert str(refused.value).startswith(f"local-dir:{folder} {said}")
