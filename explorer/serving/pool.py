"""Networks shared by everyone who visits: loaded once, lent to one visitor at a time, dropped by age.

One lock guards the books and is never held while weights are read; each network has a lock of its own,
held for the length of a lease. So two visitors on two networks run at once, two on one take turns, and
nothing that is lent or awaited can be evicted. Nothing here imports torch before a network is asked for.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import torch

    from explorer.networks import Network

T = TypeVar("T")
Progress = Callable[[int, int | None], None]

# Of the memory there is, a quarter: the rest is for activations, uploads and the server itself.
BUDGET_SHARE = 0.25


class Loader(Protocol):
    """`explorer.networks.load`, or a stand-in."""

    def __call__(self, weights_id: str, progress: Progress | None = None) -> "Network": ...


@dataclass(frozen=True)
class Counters:
    """The pool's books at one moment. hits: leases that found the network there or already on its way."""

    hits: int
    misses: int
    evictions: int
    failures: int
    fallbacks: int
    leases: int
    networks: int
    loaded_bytes: int
    budget_bytes: int
    device: str


@dataclass(frozen=True)
class Result(Generic[T]):
    """What `Pool.run` brings back. note: a sentence for the reader where something was done differently."""

    value: T
    note: str
    load_seconds: float


@dataclass(eq=False)
class _Slot:
    """One network's place. users: leases held or waiting; while there is one, the slot stays."""

    ready: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    network: "Network | None" = None
    bytes: int = 0
    note: str = ""
    error: Exception | None = None
    users: int = 0
    holder: int | None = None


class Pool:
    """Least recently used networks leave first, once the loaded bytes pass the budget.

    budget_bytes: of parameters and buffers; by default EXPLORER_POOL_BYTES, else a share of the memory.
    device: by default EXPLORER_DEVICE, else CUDA, MPS or the CPU, the first that is there.
    A network larger than the whole budget is still loaded, and leaves when its lease ends.
    """

    def __init__(
        self, budget_bytes: int | None = None, device: str | None = None, loader: Loader | None = None
    ):
        self._given_budget = budget_bytes
        self._given_device = device
        self._loader = loader
        self._books = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._counts = dict.fromkeys(("hits", "misses", "evictions", "failures", "fallbacks"), 0)

    def lease(self, weights_id: str, progress: Progress | None = None) -> "Lease":
        """`with pool.lease(id) as network:` has the network alone until the block ends.

        progress: called while weights arrive, if this lease is the one that loads them.
        Entering raises what the loader raises, for everyone who waited on the same load.
        """
        return Lease(self, weights_id, progress)

    def run(
        self, weights_id: str, work: "Callable[[Network], T]", progress: Progress | None = None
    ) -> "Result[T]":
        """`work(network)` under a lease; again on the CPU where the accelerator's memory is full."""
        lease = self.lease(weights_id, progress)
        with lease as network:
            try:
                value = work(network)
            except RuntimeError as error:
                if self.device == "cpu" or not _out_of_memory(error):
                    raise
                lease.move_to_cpu()
                value = work(network)
            return Result(value, lease.note, lease.load_seconds)

    @property
    def device(self) -> str:
        """Where networks are put; found out at first use, as it takes torch to know."""
        if self._given_device is None:
            self._given_device = choose_device()
        return self._given_device

    @property
    def budget_bytes(self) -> int:
        if self._given_budget is None:
            self._given_budget = _stated_budget() or int(BUDGET_SHARE * memory_bytes(self.device))
        return self._given_budget

    def counters(self) -> Counters:
        device, budget_bytes = self.device, self.budget_bytes
        with self._books:
            return Counters(
                **self._counts,
                leases=sum(slot.holder is not None for slot in self._slots.values()),
                networks=sum(slot.network is not None for slot in self._slots.values()),
                loaded_bytes=sum(slot.bytes for slot in self._slots.values()),
                budget_bytes=budget_bytes,
                device=device,
            )

    def _enter(self, weights_id: str, progress: Progress | None) -> _Slot:
        """The slot with its network loaded and its lock held."""
        while True:
            slot, is_loader = self._join(weights_id)
            try:
                if is_loader:
                    self._load(weights_id, slot, progress)
                slot.ready.wait()
                if slot.error is not None:
                    raise slot.error
                if slot.network is not None:
                    slot.lock.acquire()
                    slot.holder = threading.get_ident()
                    return slot
            except BaseException:
                self._leave(slot)
                raise
            # The visitor who was loading walked away half way; that is no reason for the others to fail.
            self._leave(slot)

    def _join(self, weights_id: str) -> tuple[_Slot, bool]:
        """The network's slot, counted in; True where this caller is the one to load it."""
        with self._books:
            slot = self._slots.get(weights_id)
            is_loader = slot is None
            if slot is None:
                slot = self._slots[weights_id] = _Slot()
            elif slot.holder == threading.get_ident():
                raise RuntimeError(
                    f"this thread already has a lease of {weights_id!r}; a second one would wait for ever"
                )
            slot.users += 1
            self._slots.move_to_end(weights_id)
            self._counts["misses" if is_loader else "hits"] += 1
            return slot, is_loader

    def _load(self, weights_id: str, slot: _Slot, progress: Progress | None) -> None:
        try:
            network = (self._loader or _networks_loader())(weights_id, progress)
            slot.note = self._place(weights_id, network.model)
            slot.bytes = bytes_of(network.model)
            slot.network = network
        except BaseException as error:
            with self._books:
                del self._slots[weights_id]
                self._counts["failures"] += isinstance(error, Exception)
            if isinstance(error, Exception):
                slot.error = error
                return
            raise  # Streamlit stops a script with a BaseException: this visitor left, nothing failed
        finally:
            slot.ready.set()
        self._evict()

    def _place(self, weights_id: str, model: "torch.nn.Module") -> str:
        """Moves the model to the device, or keeps it on the CPU and says so."""
        if self.device == "cpu":
            return ""
        try:
            model.to(self.device)
            return ""
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
            return self._fall_back(weights_id, model)

    def _fall_back(self, weights_id: str, model: "torch.nn.Module") -> str:
        model.to("cpu")
        with self._books:
            self._counts["fallbacks"] += 1
        return f"{weights_id} does not fit into the memory of {self.device} now, so it runs on the CPU."

    def _leave(self, slot: _Slot) -> None:
        with self._books:
            slot.users -= 1
        self._evict()

    def _evict(self) -> None:
        budget_bytes = self.budget_bytes
        with self._books:
            excess = sum(slot.bytes for slot in self._slots.values()) - budget_bytes
            for weights_id, slot in list(self._slots.items()):
                if excess <= 0:
                    break
                if slot.users == 0:
                    del self._slots[weights_id]
                    excess -= slot.bytes
                    self._counts["evictions"] += 1


class Lease:
    """One visitor's time with one network; a context manager that gives the network.

    Whatever the network raises in that time leaves as CannotRun, one sentence that names it.

    note: a sentence for the reader where the network is not where it was wanted, else "".
    load_seconds: how long this visitor waited for the weights; 0 where they were there.
    """

    def __init__(self, pool: Pool, weights_id: str, progress: Progress | None):
        self._pool = pool
        self._weights_id = weights_id
        self._progress = progress
        self._slot: _Slot | None = None
        self.load_seconds = 0.0

    @property
    def note(self) -> str:
        return "" if self._slot is None else self._slot.note

    def __enter__(self) -> "Network":
        started = time.perf_counter()
        self._slot = self._pool._enter(self._weights_id, self._progress)
        self.load_seconds = time.perf_counter() - started
        assert self._slot.network is not None
        return self._slot.network

    def move_to_cpu(self) -> None:
        """For a network that fits into the accelerator's memory while its activations do not."""
        assert self._slot is not None
        assert self._slot.network is not None
        self._slot.note = self._pool._fall_back(self._weights_id, self._slot.network.model)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._slot is not None
        self._slot.holder = None
        self._slot.lock.release()
        self._pool._leave(self._slot)
        if isinstance(error, Exception):
            from explorer.networks.running import told

            sentence = told(self._weights_id, error, self._pool.device)
            if sentence is not error:
                raise sentence from error


def choose_device() -> str:
    """EXPLORER_DEVICE where it is set and there, else the fastest kind this machine has."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    wanted = os.environ.get("EXPLORER_DEVICE")
    if not wanted:
        return next(kind for kind, is_there in there.items() if is_there)
    if not there.get(wanted.partition(":")[0]):
        choices = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise ValueError(
            f"EXPLORER_DEVICE is {wanted!r}, which this machine does not have; try one of {choices}"
        )
    return wanted


_shared: Pool | None = None
_shared_lock = threading.Lock()


def shared() -> Pool:
    """The pool of this process."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Pool()
        return _shared


def _networks_loader() -> Loader:
    from explorer.networks import load

    return load


def _stated_budget() -> int | None:
    stated = os.environ.get("EXPLORER_POOL_BYTES")
    if not stated:
        return None
    if not stated.isdecimal():
        raise ValueError(
            f"EXPLORER_POOL_BYTES is {stated!r}; it takes a whole number of bytes, as 2000000000"
        )
    return int(stated)


def bytes_of(model: "torch.nn.Module") -> int:
    return sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))


def _out_of_memory(error: RuntimeError) -> bool:
    from explorer.networks.running import out_of_memory

    return out_of_memory(error)


def memory_bytes(device: str) -> int:
    """Memory there is in all: the device's, or this machine's within its container's limit."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.mem_get_info(device)[1]
    from explorer.networks.building import memory_bytes as of_machine

    return of_machine()
