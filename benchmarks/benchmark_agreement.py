"""Does our benchmark say the same as torch's own Timer?

    python benchmarks/benchmark_agreement.py [NETWORK] [--batch-size N] [--device D] [--rounds 15] [--json]

Ours (explorer.serving.benchmark) times one pass after another and takes the median; `torch.utils.benchmark`'s
Timer, with as many threads, runs blocks of passes and takes the median of the blocks. They take turns, one
short measurement each a round, on the very same network and input, so that a busy moment hits both; the
median of the rounds' ratios is judged. Exit code 1 where they differ by more than LIMIT.
"""

import argparse
import json
import platform
import sys
from pathlib import Path
from statistics import median

import torch
from torch.utils.benchmark import Timer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explorer.serving.benchmark import Bench, Limits, bench
from explorer.serving.measurements import Setting

LIMIT = 0.05


def theirs(on_it: Bench, batch_size: int, seconds: float) -> float:
    """Milliseconds a pass by torch's Timer."""
    timer = Timer(
        "with torch.inference_mode(): model(x)",
        globals={"model": on_it.model, "x": on_it.batch(batch_size), "torch": torch},
        num_threads=torch.get_num_threads(),
    )
    return 1000 * timer.blocked_autorange(min_run_time=seconds).median


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("network", nargs="?", default="torchvision:resnet50")
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.7, help="of each of the two in a round")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    limits = Limits(seconds=arguments.seconds, least=3)
    ours_ms, theirs_ms = [], []
    with bench(arguments.network, Setting(arguments.device)) as on_it:
        for number in range(arguments.rounds):
            turns = [
                lambda: ours_ms.append(on_it.measure(arguments.batch_size, limits).latency_ms),
                lambda: theirs_ms.append(theirs(on_it, arguments.batch_size, arguments.seconds)),
            ]
            for turn in turns if number % 2 == 0 else reversed(turns):
                turn()
    ratio = median(ours / other for ours, other in zip(ours_ms, theirs_ms, strict=True))
    answer = {
        "network": arguments.network,
        "batch_size": arguments.batch_size,
        "device": arguments.device,
        "threads": torch.get_num_threads(),
        "machine": platform.processor() or platform.machine(),
        "ours_ms": median(ours_ms),
        "torch_utils_benchmark_ms": median(theirs_ms),
        "ratio": ratio,
        "ratio_by_round": [ours / other for ours, other in zip(ours_ms, theirs_ms, strict=True)],
        "agrees": abs(ratio - 1) <= LIMIT,
    }
    if arguments.json:
        print(json.dumps(answer, indent=2, allow_nan=False))
    else:
        print(f"{arguments.network}, batch {arguments.batch_size}, {answer['threads']} threads")
        print(f"  ours                   {answer['ours_ms']:10.2f} ms")
        print(f"  torch.utils.benchmark  {answer['torch_utils_benchmark_ms']:10.2f} ms")
        print(f"  ratio                  {ratio:10.3f}   (limit: within {LIMIT:.0%})")
    return 0 if answer["agrees"] else 1


if __name__ == "__main__":
    sys.exit(main())
