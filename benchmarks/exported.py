"""The oracle of the tracer: the operations that torch.export finds in a network.

The exported graph is run node by node under the tracer's own recorder, so that both give a `Recording` and
whatever differs is a difference of what was seen. torch.export takes over calls of nn.Module in the whole
process while it traces: nothing else may run meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export.graph_signature import InputKind

from explorer.analysis import Trace
from explorer.analysis.graph.reading import read
from explorer.analysis.graph.recording import Recorder, Recording


def export(model: nn.Module, image: Tensor) -> torch.export.ExportedProgram:
    """What torch.export makes of a module that lies on meta, for an image [N, C, H, W] there."""
    with torch.no_grad():
        return torch.export.export(model.eval(), (image,), strict=False)


def trace_module(model: nn.Module, input_shape: Sequence[int], name: str) -> Trace:
    """What `explorer.analysis.trace_module` should give; the module must lie on meta."""
    image = torch.empty(tuple(input_shape), device="meta")
    program = export(model, image)
    given = {
        InputKind.USER_INPUT: lambda _: image,
        InputKind.PARAMETER: model.get_parameter,
        InputKind.BUFFER: model.get_buffer,
        InputKind.CONSTANT_TENSOR: lambda target: program.constants[target].to("meta"),
    }
    inputs = [given[spec.kind](spec.target) for spec in program.graph_signature.input_specs]
    recorder = Recorder()
    with torch.inference_mode(), recorder:
        outputs = _Nodes(program.graph_module, recorder).run(*inputs)
    buffer_bytes = sum(each.numel() * each.element_size() for each in model.buffers())
    return read(Recording(model, image, recorder.calls, outputs, buffer_bytes), name)


def plain(trace: Trace) -> dict[str, Any]:
    """All of it but which kernels torch would choose: torch.export switches cuDNN off."""
    ops = [
        {**vars(op), "attributes": {k: v for k, v in op.attributes.items() if not k.startswith("cudnn")}}
        for op in trace.ops
    ]
    return {**vars(trace), "ops": ops}


class _Nodes(fx.Interpreter):
    def __init__(self, graph: fx.GraphModule, recorder: Recorder) -> None:
        super().__init__(graph)
        self.recorder = recorder

    def run_node(self, n: fx.Node) -> Any:
        stack = n.meta.get("nn_module_stack") or {"": ("", None)}
        dotted = list(stack.values())[-1][0]
        self.recorder.path = tuple(dotted.split(".")) if dotted else ()
        return super().run_node(n)
