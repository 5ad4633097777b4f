"""The command line, `python -m explorer` or `cnn-explorer`: app (which needs no word), stats, diagram,
explain, benchmark, claims, list, count, gradio.

A thin edge over the core: it parses, calls, prints. Every failure a user can cause is one line on stderr
and exit code 2. Heavy imports wait for the command that needs them, so that `--help` answers at once.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext, redirect_stdout
from contextvars import ContextVar
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from explorer import __version__, terminal

if TYPE_CHECKING:
    from explorer.inference import Explanation
    from explorer.inference.arithmetic import Opened
    from explorer.inference.proof import Proof
    from explorer.inference.report import Report
    from explorer.networks import Network, WeightsEntry
    from explorer.serving.measurements import Measurement

FAILED = 1
_answers: ContextVar[TextIO | None] = ContextVar("answers", default=None)  # where JSON goes; None: stdout


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage text in front."""

    def error(self, message: str) -> NoReturn:
        self.exit(terminal.MISUSE, f"{self.prog}: {message}\n")


def _stats(arguments: argparse.Namespace) -> None:
    from explorer.analysis import stats
    from explorer.ui.network.printed import text

    counted = stats(arguments.name, arguments.image_size)
    _say_remarks(arguments.name)
    if arguments.json:
        _print_json(counted.to_json())
        return
    print(text(counted))


def _diagram(arguments: argparse.Namespace) -> None:
    from explorer.analysis import receptive_fields, trace
    from explorer.analysis.diagram.cut import cut, opened_at, to_json
    from explorer.analysis.structure.hierarchy import hierarchy
    from explorer.catalogue.writing import write_whole
    from explorer.ui.diagram.drawing import Wanted, check, standalone

    if arguments.out is None and not arguments.json:
        raise ValueError("say where the drawing goes (--out FILE.svg), or ask for its data (--json)")
    if arguments.out is not None and arguments.out.suffix.lower() != ".svg":
        raise ValueError(f"a drawing is SVG: name the file {arguments.out.stem}.svg")
    check(arguments.overlay, arguments.flow)
    traced = trace(arguments.name, arguments.image_size)
    _say_remarks(arguments.name)
    network = hierarchy(traced, receptive_fields(traced))
    open_ids = opened_at(network, arguments.level, arguments.open)
    if arguments.out is not None:
        wanted = Wanted(open_ids, flow=arguments.flow, overlay=arguments.overlay)
        drawn = standalone(network, wanted, traced.name, dark=arguments.dark)
        write_whole(arguments.out, drawn.encode())
    if arguments.json:
        _print_json({"model": traced.name, **to_json(cut(network, open_ids))})
    else:
        print(f"wrote {arguments.out}")


def _say_remarks(name: str) -> None:
    from explorer.networks import resolve
    from explorer.networks.building import remarks

    for sentence in remarks(resolve(name)):
        print(sentence, file=sys.stderr)


def _print_json(value: Any) -> None:
    """Numbers that JSON does not have are an error, not a word of JavaScript's."""
    print(json.dumps(value, indent=2, allow_nan=False), file=_answers.get() or sys.stdout)


def _explain(arguments: argparse.Namespace) -> None:
    from explorer.catalogue.writing import write_whole
    from explorer.inference.report import table
    from explorer.networks import choose_weights, resolve

    weights = choose_weights(arguments.model and resolve(arguments.model), arguments.weights)
    pictures = [*_pictures(arguments.pictures)]
    several = len(pictures) > 1 or any(path.is_dir() for path in arguments.pictures)
    out = arguments.out
    answers: list[Mapping[str, Any]] = []
    rows: list[Mapping[str, Any]] = []  # and not the reports, which hold every feature map
    for path in pictures:
        report = _explained(arguments, path, weights, skips=several)
        if report is None:
            continue
        place = out / f"{len(rows) + 1:03}-{path.stem}" if several else out
        _write(report, place, arguments.html)
        answers.append({**report.to_json(), "model": arguments.model or str(weights.reference)})
        rows.append(report.row())
        if not (several or arguments.json):
            _say(report)
    if several:
        if not rows:
            raise ValueError(f"none of {len(pictures)} files is a picture that can be read")
        write_whole(out / "explained.csv", table(rows))
        if not arguments.json:
            _say_table(rows)
    for sentence in weights.remarks:
        print(sentence, file=sys.stderr)
    if arguments.json:
        _print_json({"pictures": answers} if several else answers[0])
    else:
        files = "heatmap.npy, features.npy, overlay.png, maps.png" + ", report.html" * arguments.html
        print(f"wrote {'explained.csv and for each picture ' * several}{files} to {out}")


def _cell(text: str) -> tuple[int, int, int]:
    """37.3.5 as three numbers."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no CHANNEL.ROW.COLUMN, as 37.3.5")
    channel, row, column = map(int, parts)
    return channel, row, column


def _pictures(named: Sequence[Path]) -> Iterator[Path]:
    """Files as they are named; of a folder its files by name."""
    for path in named:
        if path.is_dir():
            yield from sorted(file for file in path.iterdir() if file.is_file())
        else:
            yield path


def _explained(
    arguments: argparse.Namespace, path: Path, weights: "WeightsEntry", *, skips: bool
) -> "Report | None":
    """skips: None for a file that is no picture, after it has been said."""
    from time import perf_counter

    from explorer.inference import ImageError, explain, images
    from explorer.inference.arithmetic import lay_open
    from explorer.inference.proof import prove
    from explorer.inference.report import Report
    from explorer.serving import pool

    begun = perf_counter()
    try:
        picture = images.read_file(path)
    except ImageError as error:
        if not skips:
            raise
        print(f"{path}: {error}", file=sys.stderr)
        return None
    decode_seconds = perf_counter() - begun
    cell = arguments.cell

    def look(network: "Network") -> "tuple[Explanation, Proof | None, Opened | None]":
        found = explain(
            network,
            picture.image,
            layer=arguments.layer,
            target=arguments.target,
            against=arguments.against,
            method=arguments.method,
            decode_seconds=decode_seconds,
        )
        tested = arguments.score and not (skips and found.blank)
        proof = prove(network, picture.image, found) if tested else None
        number = lay_open(network, picture.image, found.layer).cell(*cell) if cell else None
        return found, proof, number

    done = pool.shared().run(weights.id, look, _progress if sys.stderr.isatty() else None)
    found, proof, number = done.value
    for sentence in filter(None, (*picture.remarks, done.note)):
        print(f"{path}: {sentence}" if skips else sentence, file=sys.stderr)
    found = replace(found, seconds={**found.seconds, "load": done.load_seconds})
    remarks = (*picture.remarks, *weights.remarks)
    return Report(found, weights, path.name, proof=proof, opened=number, remarks=remarks)


def _write(report: "Report", place: Path, html: bool) -> None:
    """All at once, so that files of two runs never lie side by side."""
    from explorer.catalogue.writing import replacing

    files = {
        "heatmap.npy": report.heatmap,
        "features.npy": report.features,
        "overlay.png": report.overlay,
        "maps.png": report.maps,
        **({"report.html": report.html} if html else {}),
    }
    with ExitStack() as written:
        for name, make in files.items():
            written.enter_context(replacing(place / name)).write(make())


def _say(report: "Report") -> None:
    from explorer.inference import KINDS

    found, proof = report.explanation, report.proof
    print(f"{report.weights.id} on {found.device}, explained at {found.layer}")
    if sentence := KINDS[found.answers_with]:
        print(sentence)
    for prediction in found.predictions:
        print(f"  {prediction.probability:6.1%}  {prediction.label}")
    if proof:
        for test, areas in (("deletion", proof.deletion), ("insertion", proof.insertion)):
            shown = ", ".join(f"{name} {proof.area(areas, name):.2f}" for name in areas)
            print(f"  {test} area: {shown}")
    if report.opened:
        _say_number(report.opened)


def _say_number(opened: "Opened") -> None:
    place = f"channel {opened.channel}, row {opened.row}, column {opened.column}"
    print(f"{place} of {opened.layer} is {opened.captured:.6g}")
    for step in opened.steps:
        print(f"  {step.words} ({step.where}): {step.formula}")


def _say_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """A line for each picture: its answer, and how well its map does."""
    longest = max(len(row["picture"]) for row in rows)
    for row in rows:
        answer = f"{row['probability']:6.1%}  {row['answer']}" if row["answer"] else ""
        areas = (f"{name} {row[name]:.2f}" for name in ("deletion", "insertion") if row[name] != "")
        print("  ".join(filter(None, (row["picture"].ljust(longest), answer, *areas, row["blank"]))))


def _progress(done: int, total: int | None) -> None:
    share = f"{done / total:4.0%}" if total else ""
    print(f"\r{done / 1e6:8.1f} MB {share}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _list(arguments: argparse.Namespace) -> None:
    from explorer import catalogue
    from explorer.networks import names, zoo

    architectures: list[dict[str, Any]] = [
        {"id": a.id, "name": a.name, "year": a.year, "family": a.family, "builders": list(a.builders)}
        for a in catalogue.architectures().values()
    ]
    networks = {builder: list(of) for builder, of in names().items()}
    for name, why in zoo.spoilt().items():
        print(f"explorer: zoo:{name} cannot be used: {why}", file=sys.stderr)
    if arguments.json:
        _print_json({"architectures": architectures, "networks": networks})
        return
    for row in architectures:
        print(f"  {row['id']:<22} {row['year']}  {row['name']:<26} {', '.join(row['builders'])}")
    counts = ", ".join(f"{len(of)} {builder}" for builder, of in networks.items())
    print(
        f"\n{len(architectures)} catalogued architectures; by name also {counts} networks (--json lists them)"
    )


def _benchmark(arguments: argparse.Namespace) -> None:
    from explorer.catalogue.writing import WriteError
    from explorer.serving import benchmark, choose_device, measurements

    setting = measurements.Setting(
        arguments.device or choose_device(), arguments.precision, arguments.channels_last, arguments.compile
    )
    if arguments.watts is not None and not arguments.watts > 0:
        raise ValueError(f"--watts is {arguments.watts:g}; a power to assume is more than 0 W")
    report = _passes if sys.stderr.isatty() else lambda share, text: None
    found, refused = [], []
    for name in arguments.names:
        with benchmark.bench(name, setting, arguments.image_size) as on_it:
            _say_remarks(name)
            for batch_size in sorted(set(arguments.batch_size)):
                try:
                    found.append(on_it.measure(batch_size, progress=report))
                except benchmark.CannotMeasure as error:
                    refused.append(str(error))
                    continue
                try:
                    measurements.keep(found[-1])
                except WriteError as error:
                    print(f"explorer: measured, and not kept: {error}", file=sys.stderr)
                if not arguments.json:
                    _print_measurement(found[-1], first=len(found) == 1, watts=arguments.watts)
    if arguments.json:
        rows = [asdict(each) for each in found]
        if arguments.watts:
            energies = [each.joules_per_image(arguments.watts) for each in found]
            rows = [
                {**row, "assumed_watts": arguments.watts, "joules_per_image": energy}
                for row, energy in zip(rows, energies, strict=True)
            ]
        _print_json(rows)
    if refused:
        raise ValueError("; ".join(refused))


def _print_measurement(found: "Measurement", *, first: bool, watts: float | None) -> None:
    from explorer.units import size

    if first:
        how = [found.device, found.precision]
        how += ["channels last"] * found.channels_last + ["compiled"] * found.compiled
        print(f"{found.machine}: {', '.join(how)}, {found.threads} threads; random weights; {found.versions}")
        heads = f"{'batch':>5} {'median ms':>10} {'IQR ms':>8} {'images/s':>9} {'peak memory':>12}"
        print(f"  {'network':<34} {'size':>4} {heads}" + (f" {'J/image':>8}" if watts else ""))
    peak = "–" if found.peak_memory_bytes is None else size(found.peak_memory_bytes)
    times = f"{found.latency_ms:>10.4g} {found.latency_iqr_ms:>8.3g} {found.throughput:>9.4g} {peak:>12}"
    energy = f" {found.joules_per_image(watts):>8.3g}" if watts else ""
    print(f"  {found.network:<34} {found.image_size:>4} {found.batch_size:>5} {times}{energy}", flush=True)


def _passes(share: float, text: str) -> None:
    print(f"\r{share:4.0%} {text:<14}", end="\r", file=sys.stderr, flush=True)


def _claims(arguments: argparse.Namespace) -> int:
    """Exit code 1 where a check could not run: no claim passes for checked that was not."""
    from explorer.catalogue.claims import claims
    from explorer.labs.claims.checking import check
    from explorer.labs.claims.verdicts import ERROR
    from explorer.ui.claims.words import expectation, measurements

    known = claims()
    if unknown := [identifier for identifier in arguments.ids if identifier not in known]:
        raise ValueError(f"{unknown[0]!r} is not a claim; `python -m explorer claims` lists them")
    results = []
    for identifier in arguments.ids or known:
        result = check(known[identifier])
        if arguments.verdict and result.verdict not in (*arguments.verdict, ERROR):
            continue
        results.append(result)
        if not arguments.json:
            print(f"{result.verdict:<22} {identifier:<26} {result.claim.says}")
            print(f"{'':<22} printed  {expectation(result.claim.expected)}")
            for text in [result.error] if result.error else measurements(result):
                print(f"{'':<22} measured {text}")
            print(f"{'':<22} {result.claim.comment}", flush=True)
    if arguments.json:
        _print_json([result.to_json() for result in results])
    return FAILED if any(result.verdict == ERROR for result in results) else 0


def _count(arguments: argparse.Namespace) -> None:
    from explorer.analysis.numbers import counting
    from explorer.catalogue import counts

    if not arguments.results.is_file():  # a pipe or a device, which have no end
        raise ValueError(f"{arguments.results} is no file; name timm's results-imagenet.csv")
    first, step = arguments.shard
    keys = counting.wanted(arguments.results.read_bytes())
    counting.write(keys[first::step], arguments.out or counts.FILE)


def _port(text: str) -> int:
    if not text.isdecimal() or len(text) > 5 or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no port, a whole number up to 65535")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    """ "1/4" as (1, 4)."""
    first, _, step = text.partition("/")
    if not (first.isdecimal() and step.isdecimal() and int(first) < int(step)):
        raise argparse.ArgumentTypeError(f"{text!r} is no I/N with I from 0 to N - 1, as 0/4")
    return int(first), int(step)


def _app(arguments: argparse.Namespace) -> None:
    from explorer.ui import starting

    starting.app(arguments.host, arguments.port, window=arguments.window, networks=arguments.networks)


def _gradio(arguments: argparse.Namespace) -> None:
    from explorer.serving import warmup

    if known := [name for name in arguments.networks if not name.startswith("own:")]:
        raise ValueError(f"{known[0]!r} is no network of one's own; known ones are chosen on the page")
    warmup.leave_cores_free()
    from explorer.ui import gradio_app

    gradio_app.launch(arguments.host, arguments.port)


_RUNS_NETWORKS = (_app, _explain, _benchmark, _gradio)  # beyond what their shapes tell


def _parser() -> argparse.ArgumentParser:
    program = "cnn-explorer" if Path(sys.argv[0]).stem == "cnn-explorer" else "python -m explorer"
    parser = _OneLineParser(prog=program, description="Explore convolutional architectures.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    from explorer.ui import own_networks

    app = commands.add_parser("app", help="Start the app and open it in the browser; what no command does.")
    app.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0: all")
    app.add_argument("--port", type=_port, default=8501, metavar="N")
    app.add_argument("--window", action="store_true", help="in a window of its own, as a program has one")
    app.add_argument(
        "networks", nargs="*", metavar="NETWORK", help="one's own, or named as for stats; the first is opened"
    )
    own_networks.add_options(app)
    app.set_defaults(run=_app)

    def command(name: str, run: Callable[[argparse.Namespace], Any], what: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what, description=what)
        added.add_argument("--json", action="store_true", help="print JSON")
        added.set_defaults(run=run)
        return added

    stats = command("stats", _stats, "Parameters, MACs, receptive field and the layer table of a network.")
    stats.add_argument(
        "name", help="a catalogued id, timm:NAME, torchvision:NAME, zoo:NAME, local-dir:FOLDER, ..."
    )
    stats.add_argument("--image-size", type=int, help="height and width of the input, in pixels")

    own_networks.add_options(stats)

    diagram = command("diagram", _diagram, "The block diagram as SVG, or its nodes and edges as JSON.")
    diagram.add_argument("name", help="the network, named as for stats")
    diagram.add_argument("--out", type=Path, metavar="FILE.svg", help="where the drawing goes")
    diagram.add_argument("--level", choices=("stage", "block", "op"), default="stage", help="how far opened")
    diagram.add_argument(
        "--open", action="append", default=[], metavar="PATH", help="open this box too (module path or id)"
    )
    diagram.add_argument("--overlay", default="", metavar="NAME", help="colour by macs, params, depth, ...")
    diagram.add_argument(
        "--flow", default="rows", metavar="NAME", help="reading direction: rows, right or down"
    )
    diagram.add_argument("--dark", action="store_true", help="for dark slides")
    diagram.add_argument("--image-size", type=int, help="height and width of the input, in pixels")

    own_networks.add_options(diagram)

    explain = command("explain", _explain, "Predictions, a Grad-CAM heatmap and feature maps of a picture.")
    explain.add_argument(
        "pictures",
        type=Path,
        nargs="+",
        metavar="PICTURE",
        help="JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF; several, or a folder of them, make a table as well",
    )
    explain.add_argument(
        "--model", metavar="ID", help="the network, named as for stats; default: the best on this machine"
    )
    explain.add_argument(
        "--weights", metavar="ID", help="an entry of its weights; default: what is on this machine"
    )
    explain.add_argument("--layer", metavar="PATH", help="where to look; default: the last feature map")
    explain.add_argument(
        "--method", default="Grad-CAM", metavar="NAME", help="of attribution; a wrong name lists them"
    )
    explain.add_argument(
        "--cell",
        type=_cell,
        metavar="CHANNEL.ROW.COLUMN",
        help="open this number of the layer: from what it was computed, line by line",
    )
    explain.add_argument("--html", action="store_true", help="write a report as one page, too")
    explain.add_argument("--score", action="store_true", help="test the map against chance as well")
    explain.add_argument(
        "--target", metavar="CLASS", help="to explain, by name or number; default: the likeliest"
    )
    explain.add_argument("--against", metavar="CLASS", help="another: why the one and not the other?")
    explain.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")

    own_networks.add_options(explain)

    bench = command("benchmark", _benchmark, "Latency, throughput and peak memory on this machine.")
    bench.add_argument("names", nargs="+", metavar="NAME", help="networks, named as for stats")
    bench.add_argument("--device", help="cpu, cuda, cuda:1, mps; default: the fastest here")
    bench.add_argument("--batch-size", type=int, nargs="+", default=[1], metavar="N", help="default: 1")
    bench.add_argument("--precision", default="float32", help="float32, bfloat16 or float16")
    bench.add_argument("--channels-last", action="store_true", help="memory in the order N, H, W, C")
    bench.add_argument("--compile", action="store_true", help="through torch.compile")
    bench.add_argument("--image-size", type=int, help="height and width of the input, in pixels")
    bench.add_argument(
        "--watts", type=float, metavar="W", help="assume this power and print energy: power times time"
    )

    own_networks.add_options(bench)

    from explorer.labs.claims.verdicts import VERDICTS

    claims = command("claims", _claims, "Claims of the sources, each checked by computing or by looking up.")
    claims.add_argument("ids", nargs="*", metavar="ID", help="claims to check; default: all")
    claims.add_argument("--verdict", action="append", choices=VERDICTS, help="only those with this verdict")

    command("list", _list, "What can be named.")

    what = "Count every network of timm's results at its image sizes: makes the table of counts."
    count = commands.add_parser("count", help=what, description=what)
    count.add_argument("results", type=Path, help="timm's results-imagenet.csv")
    count.add_argument("--out", type=Path, metavar="FILE", help="default: the table that ships")
    count.add_argument(
        "--shard", type=_shard, default=(0, 1), metavar="I/N", help="every N-th network, from the I-th"
    )
    count.set_defaults(run=_count)

    gradio = commands.add_parser("gradio", help="Serve the Gradio front end.")
    gradio.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0: all")
    gradio.add_argument("--port", type=_port, default=7860, metavar="N")
    gradio.add_argument("networks", nargs="*", metavar="NETWORK", help="one's own, offered first")
    own_networks.add_options(gradio)
    gradio.set_defaults(run=_gradio)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0, 1 where a check could not run, or as `terminal.run` says."""

    def command() -> int | None:
        from explorer.ui import own_networks

        words, own = own_networks.taken_out(sys.argv[1:] if argv is None else argv)
        bare = not words or words[0].startswith("own:")
        arguments = _parser().parse_args(["app", *words] if bare else words)
        # What one's own code prints, now or while it runs, is no part of the JSON.
        apart = own and getattr(arguments, "json", False)
        _answers.set(sys.stdout if apart else None)
        with redirect_stdout(sys.stderr) if apart else nullcontext():
            own_networks.register(arguments, own, runs=arguments.run in _RUNS_NETWORKS)
            code: int | None = arguments.run(arguments)
        return code

    return terminal.run("explorer", command)


if __name__ == "__main__":
    sys.exit(main())
