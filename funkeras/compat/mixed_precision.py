"""`keras.mixed_precision`: the policy of new layers, by the names it had and has."""

from funkeras.config import dtype_policy, set_dtype_policy
from funkeras.dtype_policies import DTypePolicy
from funkeras.optimizers import LossScaleOptimizer

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
