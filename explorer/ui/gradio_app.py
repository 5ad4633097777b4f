"""The Gradio front end over the same core: `python -m explorer gradio [NETWORK ...] [--host H] [--port N]`.

It calls nothing outside this machine: no analytics, no share link, fonts from Gradio's own package.
"""

import os
from time import perf_counter
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
import pandas as pd
from gradio.utils import MatplotlibBackendMananger
from PIL import Image

from explorer import catalogue, inference, networks
from explorer.analysis import stats
from explorer.inference import feature_maps
from explorer.inference.images import BYTE_CAP, READABLE
from explorer.networks import Network
from explorer.networks.own import registry
from explorer.serving import pool
from explorer.ui.kit.formatting import count, distinct, shape, size, three_digits
from explorer.ui.picture import uploads

AUTOMATIC = "the network's default"
_TILE = (112, 112)  # pixels a feature map is enlarged to, without smoothing
_FORGET = (600, 600)  # seconds between two clean-ups, and the age at which an upload goes


def picture_box() -> gr.Image:
    """An image input that hands over the file's bytes as they came: decoding, with caps, is the core's.

    Changed on the object, because Gradio writes a `.pyi` file beside the source of every subclass.
    """
    box = gr.Image(label=f"Picture ({READABLE})", type="filepath", image_mode=None, height=320)
    box.preprocess = lambda payload: uploads.content(payload) if payload else None  # type: ignore
    return box


def explain(data: bytes | None, weights_id: str, layer: str, method: str, colours: str, opacity: float):
    """Overlay, probability by label, feature maps with captions, and a line of remarks and timings."""
    if not data:
        raise gr.Error("Give the network a picture first: upload one, take one, or click a sample.")
    return _said(_explained, data, weights_id, layer, method, colours, opacity)


def _explained(data: bytes, weights_id: str, layer: str, method: str, colours: str, opacity: float):
    begun = perf_counter()
    picture = inference.read(data)
    decoded, asked = perf_counter() - begun, None if layer == AUTOMATIC else layer

    def explained(network: Network) -> inference.Explanation:
        return inference.explain(network, picture.image, layer=asked, method=method, decode_seconds=decoded)

    done = pool.shared().run(weights_id, explained)
    kind = inference.KINDS[done.value.answers_with]
    remarks = " ".join(
        filter(None, (*picture.remarks, kind, *networks.entry_of(weights_id).remarks, done.note))
    )
    found, grid = done.value, feature_maps.grid(done.value)
    table = feature_maps.colours(None if grid.signed else colours)
    tiles = (Image.fromarray(table[tile]).resize(_TILE, Image.Resampling.NEAREST) for tile in grid.tiles)
    named = distinct({each.index: each.label for each in found.predictions})
    seconds = {**found.seconds, "load": done.load_seconds}
    steps = " · ".join(f"{name} {three_digits(1000 * value)} ms" for name, value in seconds.items())
    return (
        inference.overlay(found, opacity, colours),
        {named[each.index]: each.probability for each in found.predictions},
        [(tile, f"channel {number}") for tile, number in zip(tiles, grid.channels, strict=True)],
        f"{weights_id} at {found.layer}, measured here on {found.device}: {steps}. {remarks}",
    )


def layers_of(weights_id: str) -> Any:
    """The layer box for these weights."""
    paths = _said(lambda: pool.shared().run(weights_id, inference.layers).value)
    return gr.Dropdown(choices=[AUTOMATIC, *paths], value=AUTOMATIC)


def architecture(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The stats sheet's totals and its layer table."""
    sheet = _said(stats, name)
    totals = {
        "parameters": count(sheet.params),
        "MACs": f"{count(sheet.macs)} (FLOPs = 2 × MACs)",
        "activations": count(sheet.activations),
        "weights and buffers, fp32": size(sheet.weight_bytes),
        "depth in weighted layers": str(sheet.depth),
    }
    if other := sheet.deployed:
        totals["as deployed, branches and norms merged"] = (
            f"{count(other.params)} parameters, {count(other.macs)} MACs, "
            f"{count(other.activations)} activations"
        )
    if sheet.one_way:
        totals["one way of more"] = sheet.one_way
    if sheet.uncounted:
        totals["not counted, for want of a rule"] = ", ".join(sheet.uncounted)
    columns = ["layer", "kind", "output", "params", "MACs"]
    rows = [(each.path, each.kind, shape(each.output_shape), each.params, each.macs) for each in sheet.layers]
    return pd.DataFrame(totals.items(), columns=["total", "value"]), pd.DataFrame(rows, columns=columns)


def _said(work: Any, *arguments: Any) -> Any:
    """`work(...)`; what a visitor can cause becomes a sentence on the screen."""
    try:
        return work(*arguments)
    except (ValueError, networks.WeightsUnavailable) as error:
        raise gr.Error(str(error), duration=None) from error


def _explain_tab() -> None:
    owned = (networks.choose_weights(f"own:{name}").id for name in registry.registered())
    ids = list(dict.fromkeys([*owned, *(entry.id for entry in networks.on_this_machine())]))
    samples = [str(each.path) for each in inference.OFFERED]
    methods, maps = list(inference.METHODS), list(inference.COLORMAPS)
    with gr.Row():
        with gr.Column():
            picture = picture_box()
            gr.Examples(
                samples,
                picture,
                label="Samples, free to use; see assets/samples/CREDITS.md and scikit-image's data",
            )
            weights = gr.Dropdown(ids, value=next(iter(ids), None), label="Weights", allow_custom_value=True)
            layer = gr.Dropdown([AUTOMATIC], value=AUTOMATIC, label="Layer", allow_custom_value=True)
            method = gr.Dropdown(methods, value=methods[0], label="Method")
            colours = gr.Radio(maps, value=maps[0], label="Colours")
            opacity = gr.Slider(0, 1, 0.5, step=0.05, label="Opacity")
            go = gr.Button("Explain", variant="primary")
        with gr.Column():
            seen = gr.Image(label="Where it looked", height=420, format="png", buttons=["download"])
            answer, timings = gr.Label(label="Answer"), gr.Markdown()
    tiles = gr.Gallery(label="Feature maps, the strongest first", columns=8, height="auto")
    choices = [picture, weights, layer, method, colours, opacity]
    go.click(explain, choices, [seen, answer, tiles, timings], api_name="explain")
    weights.change(layers_of, weights, layer, api_name="layers")


def _architecture_tab() -> None:
    owned = [(name, f"own:{name}") for name in registry.registered()]
    known = [(each.name, each.id) for each in catalogue.architectures().values() if each.builders]
    first = owned[0][1] if owned else "resnet50"
    name = gr.Dropdown([*owned, *known], value=first, label="Network", allow_custom_value=True)
    go = gr.Button("Compute", variant="primary")
    tables = [gr.Dataframe(label="Totals"), gr.Dataframe(label="Layers", max_height=520)]
    go.click(architecture, name, tables, api_name="stats")


def build() -> gr.Blocks:
    """The page; queued, so that a crowd waits in line rather than for memory."""
    with gr.Blocks(title="CNN Architecture Explorer", analytics_enabled=False, delete_cache=_FORGET) as page:
        gr.Markdown(
            "# CNN Architecture Explorer\nWhat a network answers, where it looked, what its layers saw."
        )
        for title, tab in {"Explain": _explain_tab, "Architecture": _architecture_tab}.items():
            with gr.Tab(title):
                tab()
    uploads.guard(page)
    return page.queue(max_size=32, default_concurrency_limit=2)


def launch(host: str, port: int | None, *, block: bool = True) -> gr.Blocks:
    """Serve the page; block: until it is stopped."""
    page = build()
    with MatplotlibBackendMananger():  # entered at each request: the first would import matplotlib
        pass
    page.launch(
        server_name=host,
        server_port=port,
        max_file_size=BYTE_CAP,
        prevent_thread_lock=not block,
        share=False,
        ssr_mode=False,
        enable_monitoring=False,
        theme=gr.themes.Base(),
    )
    return page
