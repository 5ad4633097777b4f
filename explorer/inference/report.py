"""An explanation to take along: pictures, arrays, a row of a table, and a page that is one file."""

from __future__ import annotations

import csv
import io
import json
import platform
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from explorer import __version__
from explorer.inference.arithmetic import Opened
from explorer.inference.attribution.methods import METHODS
from explorer.inference.explaining import KINDS, MEASURES, Explanation, Measure
from explorer.inference.feature_maps import ACROSS, colours, grid
from explorer.inference.overlay import overlay
from explorer.inference.proof import BLOB, RANDOM, THIS, Proof
from explorer.networks import WeightsEntry
from explorer.units import three_digits

_MAP = 96  # pixels a side of a map in the sheet of maps, at least
_LINE = 22  # pixels of a line of its text
_STYLE = Path(__file__).with_suffix(".css")


@dataclass(frozen=True, eq=False)
class Report:
    """What one picture came to, with what must be known to make the same again.

    picture: its title or file name. opens: the Python that gives it to `explorer.explain`, by default its
    file name. credit: whose it is. proof: where the map was put to the test. opened: a number of the layer
    that was looked into. opacity: share of the heatmap
    over the picture; colormap: of COLORMAPS.
    """

    explanation: Explanation
    weights: WeightsEntry
    picture: str
    opens: str = ""
    credit: str = ""
    proof: Proof | None = None
    opened: Opened | None = None
    remarks: tuple[str, ...] = ()
    opacity: float = 0.5
    colormap: str = "Viridis"

    def overlay(self) -> bytes:
        """PNG, the heatmap over the crop that the network saw."""
        return _png(overlay(self.explanation, self.opacity, self.colormap))

    def maps(self, measure: Measure = "activation") -> bytes:
        """PNG, the strongest feature maps with their numbers, under one scale."""
        return _png(sheet(self.explanation, measure, self.colormap))

    def heatmap(self) -> bytes:
        """float32 [H, W] from 0 to 1, as `numpy.load` reads it."""
        return _npy(self.explanation.heatmap)

    def features(self) -> bytes:
        """float32 [C, h, w], as `numpy.load` reads it."""
        return _npy(self.explanation.features)

    def to_json(self) -> dict[str, Any]:
        """Numbers and words; every number is one that JSON has."""
        found = self.explanation
        peak = found.heatmap_peak
        answer: dict[str, Any] = {
            "picture": self.picture,
            "model": str(self.weights.reference),
            "weights": self.weights.id,
            "device": found.device,
            "answers_with": found.answers_with,
            "predictions": [asdict(prediction) for prediction in found.predictions],
            "layer": found.layer,
            "target": found.target,
            "against": found.against and found.against.index,
            "method": found.method,
            "blank": found.blank,
            "remarks": list(self.remarks),
            "heatmap_peak": {"x": peak[0], "y": peak[1]} if peak else None,
            "seconds": dict(found.seconds),
        }
        if self.proof:
            answer["proof"] = self.proof.to_json()
        if self.opened:
            answer["opened"] = self.opened.to_json()
        return answer

    def row(self) -> dict[str, str | float]:
        """Of a table over many pictures; what does not exist is empty."""
        found, proof = self.explanation, self.proof
        likeliest = found.predictions[0] if found.predictions else None
        peak = found.heatmap_peak
        row: dict[str, str | float] = {
            "picture": self.picture,
            "weights": self.weights.id,
            "answer": likeliest.label if likeliest else "",
            "probability": likeliest.probability if likeliest else "",
            "explained": found.explained.label if found.explained else "",
            "target": "" if found.target is None else found.target,
            "explained_probability": found.explained.probability if found.explained else "",
            "against": found.against.label if found.against else "",
            "layer": found.layer,
            "method": found.method,
            "peak_x": peak[0] if peak else "",
            "peak_y": peak[1] if peak else "",
            "blank": found.blank,
        }
        for name, curves in (
            ("deletion", proof and proof.deletion),
            ("insertion", proof and proof.insertion),
        ):
            for which, short in ((THIS, ""), (RANDOM, "_random"), (BLOB, "_blob")):
                row[name + short] = proof.area(curves, which) if proof and curves else ""
        row["average_drop"] = proof.average_drop if proof else ""
        return row | {f"{step}_seconds": seconds for step, seconds in found.seconds.items()}

    def code(self) -> str:
        """The Python that makes the same."""
        found = self.explanation
        opens = self.opens or _quoted(self.picture)
        network = _quoted(self.weights.id)
        if self.weights.reference.builder == "own":
            network = f"model,  # {_comment(self.weights.shown)}, as a torch module"
        arguments = [network, opens, f"layer={_quoted(found.layer)}"]
        if found.explained:
            arguments.append(f"target={found.explained.index},  # {_comment(found.explained.label)}")
        if found.against:
            arguments.append(f"against={found.against.index},  # {_comment(found.against.label)}")
        if found.method in METHODS:
            arguments.append(f"method={_quoted(found.method)}")
        lines = [each if ",  # " in each else f"{each}," for each in arguments]
        return "\n".join(
            [
                f"import explorer  # {__version__}, with torch {version('torch')}",
                *(["from explorer.inference import SAMPLES"] if "SAMPLES" in opens else []),
                "",
                "found = explorer.explain(",
                *(f"    {each}" for each in lines),
                ")",
                "print(found)",
                f'found.overlay({self.opacity}, "{self.colormap}").save("overlay.png")',
            ]
        )

    def html(self) -> bytes:
        """A page in one file that asks nothing of any other, for screen and paper, light and dark."""
        return _page(self).encode()


def table(rows: Sequence[Mapping[str, str | float]]) -> bytes:
    """CSV of rows as `Report.row` gives them."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def sheet(
    explanation: Explanation, measure: Measure = "activation", colormap: str = "Viridis"
) -> Image.Image:
    """The strongest feature maps in rows, each over its number, with the scale that all share."""
    shown = grid(explanation, 0, measure)
    lut = colours(None if shown.signed else colormap)
    height, width = shown.tiles.shape[1:]
    scale = max(1, -(-_MAP // max(height, width)))
    wide, tall = width * scale, height * scale + _LINE
    gap = 6
    across = min(ACROSS, len(shown.channels))
    rows = -(-len(shown.channels) // across)
    picture = Image.new(
        "RGB", (gap + across * (wide + gap), 2 * _LINE + gap + rows * (tall + gap)), (255, 255, 255)
    )
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    of = f"{len(shown.channels)} strongest of {shown.total:,} feature maps of {explanation.layer}"
    pen.text((gap, 2), f"{of}, by {MEASURES[measure]}", (0, 0, 0), font)
    low, high = three_digits(shown.low), three_digits(shown.high)
    pen.text((gap, 2 + _LINE), low, (0, 0, 0), font)
    bar = Image.fromarray(lut[None]).resize((256, 12))
    left = round(2 * gap + pen.textlength(low, font))
    picture.paste(bar, (left, _LINE + 6))
    pen.text((left + 256 + gap, 2 + _LINE), high, (0, 0, 0), font)
    for at, (tile, channel) in enumerate(zip(shown.tiles, shown.channels, strict=True)):
        row, column = divmod(at, across)
        corner = (gap + column * (wide + gap), 2 * _LINE + gap + row * (tall + gap))
        large = Image.fromarray(lut[tile]).resize((wide, height * scale), Image.Resampling.NEAREST)
        picture.paste(large, corner)
        pen.text((corner[0], corner[1] + height * scale + 1), str(channel), (70, 70, 70), font)
    return picture


def _page(report: Report) -> str:
    found, weights = report.explanation, report.weights
    title = f"{report.picture}, as {weights.shown} sees it"
    buffer = io.BytesIO()
    Image.fromarray(found.display).save(buffer, "jpeg", quality=90)
    seen = _image(buffer.getvalue(), "jpeg", "The part of the picture that the network was given")
    over = _image(report.overlay(), "png", f"{found.method} over it")
    maps = _image(report.maps(), "png", f"Feature maps of {found.layer}")
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<div class='pair'>{seen}{over}</div>",
        *(
            f"<p>{escape(sentence)}</p>"
            for sentence in (KINDS[found.answers_with], *report.remarks)
            if sentence
        ),
        _answer(found),
        f"<h2>Where it looks</h2><p>{_asked(found)}</p>",
        _scores(report.proof) if report.proof else "",
        f"<h2>Feature maps</h2>{maps}",
        _lines(report.opened) if report.opened else "",
        f"<h2>How it was made</h2>{_facts(report)}",
        f"<h2>The same again</h2><pre>{escape(report.code())}</pre>",
    ]
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>"
        "<meta name='viewport' content='width=device-width'>"
        f"<style>{_STYLE.read_text('utf-8')}</style><main>{''.join(parts)}</main></html>"
    )


def _answer(found: Explanation) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.label)}<td>{each.probability:.1%}"
        f"<td class='bar'><i style='width:{100 * each.probability:.1f}%'></i>"
        for each in found.predictions
    )
    return f"<h2>What it answers</h2><table>{rows}</table>" if rows else ""


def _asked(found: Explanation) -> str:
    method = METHODS.get(found.method)
    said = f"<b>{escape(found.method)}</b> at layer <code>{escape(found.layer)}</code>"
    if found.explained:
        said += f", for {escape(found.explained.label)}"
    if found.against:
        said += f" and not {escape(found.against.label)}"
    if method:
        said += f". {escape(method.question)} (<a href='{escape(method.url)}'>{escape(method.paper)}</a>)"
    return f"{said}. {escape(found.blank)}" if found.blank else said


def _scores(proof: Proof) -> str:
    tests = (proof.deletion, proof.insertion)
    rows = "".join(
        f"<tr><td>{escape(name)}{''.join(f'<td>{proof.area(test, name):.3f}' for test in tests)}"
        for name in proof.deletion
    )
    alike = "".join(
        f" With {part:.0%} of the layers made random its rank correlation with this map is {value:.2f}."
        for part, value in proof.randomised[-1:]
    )
    return (
        "<h2>Whether it can be believed</h2><table><tr><th>Areas under the probability"
        f"<th>deletion, small is good<th>insertion, large is good{rows}</table>"
        f"<p>Dimmed by the map, the picture loses {proof.average_drop:.1%} of the probability.{alike}</p>"
    )


def _lines(opened: Opened) -> str:
    lines = "".join(
        f"<li>{escape(step.words)} <small>{escape(step.where)}</small><br><b>{escape(step.formula)}</b>"
        for step in opened.steps
    )
    place = f"channel {opened.channel}, row {opened.row}, column {opened.column}"
    return (
        f"<h2>One number, opened: {place}</h2><ol>{lines}</ol><p>The network gave {opened.captured:.6g}.</p>"
    )


def _facts(report: Report) -> str:
    found, weights = report.explanation, report.weights
    facts = {
        "Picture": " · ".join(filter(None, (report.picture, report.credit))),
        "Weights": f"{weights.shown}, licence: {weights.licence}",
        "Layer": f"{found.layer}, {' × '.join(map(str, found.features.shape))}",
        "Method": found.method,
        "Class": f"{found.explained.label} (number {found.explained.index})" if found.explained else "",
        "Against": f"{found.against.label} (number {found.against.index})" if found.against else "",
        "Time": ", ".join(f"{step} {three_digits(1000 * s)} ms" for step, s in found.seconds.items()),
        "Device": found.device,
        "Versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
    }
    return "<table>" + "".join(f"<tr><th>{n}<td>{escape(v)}" for n, v in facts.items() if v) + "</table>"


def versions() -> Mapping[str, str]:
    """Of what computed it."""
    used = {name: version(name) for name in ("torch", "timm", "torchvision")}
    return {"CNN Architecture Explorer": __version__, **used, "Python": platform.python_version()}


def _image(data: bytes, kind: str, caption: str) -> str:
    source = f"data:image/{kind};base64,{b64encode(data).decode()}"
    text = escape(caption)
    return f"<figure><img alt='{text}' src='{source}'><figcaption>{text}</figcaption></figure>"


def _quoted(text: str) -> str:
    """As Python and people write it; JSON's words are Python's too."""
    return json.dumps(text, ensure_ascii=False)


def _comment(label: str) -> str:
    """A label in one line of code, whatever stands in it."""
    return " ".join(label.split())


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    """As numpy.save writes it; numpy's own writing says of a full disk only how much it did not write."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
