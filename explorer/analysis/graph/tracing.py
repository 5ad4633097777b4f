"""Any network by name -> its `Trace`, built without weights or memory, kept in memory and on disk."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future

from torch import nn

from explorer.analysis.graph import cache
from explorer.analysis.graph.operations import Trace
from explorer.analysis.graph.reading import trace_module
from explorer.analysis.graph.recording import NeedsValues
from explorer.networks import CannotBuild, InputSpec, Reference, build, input_spec, resolve
from explorer.networks.deploying import deployed
from explorer.networks.entries import first_sentence

_SEED = 0
_OWN_SIZE = "its own size"
_KEPT = 64  # traces in memory: a few MB each for the largest
_recent: OrderedDict[tuple[str, tuple[int, ...]], Trace] = OrderedDict()
_recent_lock = threading.Lock()
# What is being traced: who asks for it meanwhile waits for the first one's answer.
_under_way: dict[tuple[str, tuple[int, ...]], Future[Trace]] = {}


class ImageSizeError(ValueError):
    """The network does not take this size; the message says which network, which size, and its own words."""


def trace(
    name_or_reference: str | Reference, image_size: int | None = None, *, as_deployed: bool = False
) -> Trace:
    """The network as data, at a square input of `image_size` pixels or at its own size; as it is trained, or
    in the form that its modules take for deployment (`networks.deploying`).

    Raises UnknownNetwork, CannotBuild, or ImageSizeError when the network cannot process this size.
    """
    reference = resolve(name_or_reference) if isinstance(name_or_reference, str) else name_or_reference
    if image_size is not None and image_size < 1:
        raise ImageSizeError(f"{reference} cannot take {image_size} pixels: a side has at least 1.")
    own = input_spec(reference)
    spec = own.at(image_size)
    shape = (1, *spec.shape)
    fingerprint = cache.fingerprint(reference)
    if as_deployed:
        fingerprint += " deployed"
    key = (f"{reference} {fingerprint}", shape)
    with _recent_lock:
        if key in _recent:
            _recent.move_to_end(key)
            return _recent[key]
        first = key not in _under_way
        answer = _under_way.setdefault(key, Future())
    if not first:
        return answer.result()
    try:
        # One's own may change in files that nobody here knows of, and it is quickly traced.
        kept = reference.builder != "own"
        found = cache.read(str(reference), fingerprint, shape) if kept else None
        if found is None:
            found = _fresh(reference, image_size, own, shape, as_deployed)
            if kept:
                cache.write(found, str(reference), fingerprint)
    except BaseException as error:
        with _recent_lock:
            del _under_way[key]
        answer.set_exception(error)
        raise
    with _recent_lock:
        _recent[key] = found
        while len(_recent) > _KEPT:
            _recent.popitem(last=False)
        del _under_way[key]
    answer.set_result(found)
    return found


def forget() -> None:
    """Drop what is kept in memory; the disk stays."""
    with _recent_lock:
        _recent.clear()


def deployed_form(
    traced: Trace, name_or_reference: str | Reference, image_size: int | None = None
) -> Trace | None:
    """The same network as it is deployed; None where that is how it is trained, or where its modules do not
    foresee their settings and cannot be merged.

    traced: `trace` of the network at this size.
    """
    if not traced.fusible:
        return None
    try:
        found = trace(name_or_reference, image_size, as_deployed=True)
    except ValueError:
        return None
    return None if (found.params, found.macs) == (traced.params, traced.macs) else found


def _fresh(
    reference: Reference, image_size: int | None, own: InputSpec, shape: tuple[int, ...], as_deployed: bool
) -> Trace:
    asked = _OWN_SIZE if image_size is None else f"{image_size} x {image_size} pixels"
    try:
        model = build(reference, image_size, device="meta")
    except CannotBuild as error:
        if image_size is None or not _builds(reference):
            raise
        raise ImageSizeError(_refusal(reference, asked, own, error.__cause__ or error)) from error
    form = deployed if as_deployed else _as_it_is
    try:
        try:
            return trace_module(form(model), shape, str(reference), disposable=True)
        except NeedsValues:
            model = build(reference, image_size, seed=_SEED)
            return trace_module(form(model), shape, str(reference))
    except CannotBuild:  # for want of memory
        raise
    except Exception as error:  # whatever the network's own code raises on a size it does not take
        raise ImageSizeError(_refusal(reference, asked, own, error)) from error


def _as_it_is(model: nn.Module) -> nn.Module:
    return model


def _builds(reference: Reference) -> bool:
    try:
        build(reference, None, device="meta")
    except CannotBuild:
        return False
    return True


def _refusal(reference: Reference, asked: str, own: InputSpec, error: BaseException) -> str:
    """One line: the innermost cause's first sentence, and the size that works."""
    while error.__cause__ is not None:
        error = error.__cause__
    reason = first_sentence(error)
    height, width = own.shape[1:]
    if asked == _OWN_SIZE:
        return f"{reference} does not run at its own size of {height} x {width}: {reason[:160].rstrip('.')}."
    return (
        f"{reference} cannot take {asked} ({reason[:160].rstrip('.')}); its own size is {height} x {width}."
    )
