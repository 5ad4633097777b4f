"""How networks are shared. `pool` keeps loaded networks within a budget and lends each to one visitor at a
time; `warmup` does the heavy imports in the background. Neither imports torch by itself.
"""

from explorer.serving.pool import Answer, Counters, Lease, Pool, choose_device, shared

__all__ = ["Answer", "Counters", "Lease", "Pool", "choose_device", "shared"]
