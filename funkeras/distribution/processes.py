"""Several processes that train one model together."""

import os

import jax
import numpy as np

__all__ = ["initialize"]

ENVIRONMENT = "KERAS_DISTRIBUTION_"
"""What names of environment variables begin with that `initialize` reads."""


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
) -> None:
    """Join the processes, on one machine or several, whose devices train one model together.

    What is left out comes from `KERAS_DISTRIBUTION_JOB_ADDRESSES`, `..._NUM_PROCESSES` and
    `..._PROCESS_ID`, or from the cluster as `jax.distributed.initialize` knows it. From then on
    NumPy's generator goes on alike in all processes: they draw the same initial weights and the
    same order of the data, which each of them is given whole.

    Args:
        job_addresses: host and port of process 0, or of all in order with commas between.
    """
    given = os.environ.get
    job_addresses = job_addresses or given(f"{ENVIRONMENT}JOB_ADDRESSES")
    count = num_processes if num_processes is not None else given(f"{ENVIRONMENT}NUM_PROCESSES")
    number = process_id if process_id is not None else given(f"{ENVIRONMENT}PROCESS_ID")
    addresses = job_addresses.split(",") if job_addresses else [None]
    if len(addresses) > 1 and count is not None and int(count) != len(addresses):
        raise ValueError(f"{len(addresses)} addresses are not those of {count} processes")
    jax.distributed.initialize(
        addresses[0],
        None if count is None else int(count),
        None if number is None else int(number),
    )
    from jax.experimental import multihost_utils  # which one process alone never needs

    seed = np.random.randint(0, 2**31, size=1, dtype=np.int32)
    np.random.seed(int(multihost_utils.broadcast_one_to_all(seed)[0]))
