"""How networks are shared. `pool` keeps loaded networks within a budget and lends each to one visitor at a
time; `warmup` does the heavy imports in the background. Neither imports torch by itself.

`benchmark` measures how fast a network of its own runs here (`tensor_memory`: and what it holds), `ceilings`
what the device does at best; `measurements` keeps the results on disk and reads them without torch. These are
imported from their own modules.
"""

from explorer.serving.pool import Counters, Lease, Pool, Result, choose_device, shared

__all__ = ["Counters", "Lease", "Pool", "Result", "choose_device", "shared"]
