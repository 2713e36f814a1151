"""The optimizers of Keras 1, 2 and 3, each as a rule for one array.

In the formulas g is the gradient, p the parameter, t = 1, 2, … the step, and `rate` the learning
rate after schedule and decay.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from funkeras import config
from funkeras.optimizers.base import optimizer
from funkeras.optimizers.schedules import Schedule
from funkeras.optimizers.updates import Rule, Scalars, Slots, global_norm, wide
from funkeras.typing import Array, ArrayLike

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "RMSprop",
    "ScheduleFreeAdamW",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "nadam",
    "rmsprop",
    "sgd",
]


def _mean(decay: Array, old: Array, new: Array) -> Array:
    """Moving average `decay · old + (1 - decay) · new`."""
    return decay * old + (1 - decay) * new


def _known(decay: Array, t: Array) -> Array:
    """Share `1 - decayᵗ` of a moving average that is not its first value, to full precision.

    The power of a number near 1 would lose most digits of the difference in float32.
    """
    return -jnp.expm1(t * jnp.log1p(decay - 1))


def _modern() -> bool:
    return config.dialect() == "modern"


@optimizer("SGD")
def sgd(
    learning_rate: float | Schedule = 0.01, momentum: float = 0.0, nesterov: bool = False
) -> Rule:
    """Gradient descent: `m ← momentum · m - rate · g`, `p ← p + m`.

    With `nesterov`, `p ← p + momentum · m - rate · g`. Sutskever et al. 2013,
    http://proceedings.mlr.press/v28/sutskever13.html
    """

    def plain(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        return -h["learning_rate"] * g, {}

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        pull = h["learning_rate"] * g
        m = h["momentum"] * s["momentum"] - pull
        return h["momentum"] * m - pull if nesterov else m, {"momentum": m}

    if _modern() and not momentum:
        return Rule(plain, fixed=("momentum",))
    return Rule(step, ({"momentum": 0.0},))


@optimizer("RMSprop")
def rmsprop(
    learning_rate: float | Schedule = 0.001,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    centered: bool = False,
) -> Rule:
    """Divides the gradient by a moving average of its size.

    `v ← rho · v + (1 - rho) · g²`, `p ← p - rate · g / √(v + epsilon)`; before Keras 3
    `rate · g / (√v + epsilon)`. With `centered`, v has the square of the mean gradient subtracted.
    Hinton 2012, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf
    """
    inside = _modern() or momentum > 0

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        v = _mean(h["rho"], s["velocity"], jnp.square(g))
        new = {"velocity": v}
        if centered:
            new["average_gradient"] = _mean(h["rho"], s["average_gradient"], g)
            v = v - jnp.square(new["average_gradient"])
        size = jnp.sqrt(v + h["epsilon"]) if inside else jnp.sqrt(v) + h["epsilon"]
        change = -h["learning_rate"] * g / size
        if momentum:
            new["momentum"] = h["momentum"] * s["momentum"] - change
            change = -new["momentum"]
        return change, new

    extra = {"momentum": momentum, "average_gradient": centered}
    slots = ({"velocity": 0.0}, *({name: 0.0} for name, used in extra.items() if used))
    return Rule(step, slots, fixed=() if momentum else ("momentum",))


@optimizer("Adagrad")
def adagrad(
    learning_rate: float | Schedule = 0.001,
    initial_accumulator_value: float = 0.1,
    epsilon: float = 1e-7,
) -> Rule:
    """Divides the gradient by the root of the sum of all its squares.

    `a ← a + g²`, `p ← p - rate · g / √(a + epsilon)`; before Keras 3 `rate · g / (√a + epsilon)`.
    Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html
    """
    inside = _modern()

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        a = s["accumulator"] + jnp.square(g)
        size = jnp.sqrt(a + h["epsilon"]) if inside else jnp.sqrt(a) + h["epsilon"]
        return -h["learning_rate"] * g / size, {"accumulator": a}

    slots = ({"accumulator": initial_accumulator_value},)
    return Rule(step, slots, fixed=("initial_accumulator_value",))


@optimizer("Adadelta")
def adadelta(
    learning_rate: float | Schedule = 0.001, rho: float = 0.95, epsilon: float = 1e-7
) -> Rule:
    """Steps as large as past changes, in proportion to past gradients.

    `a ← rho · a + (1 - rho) · g²`, `u = g · √(d + epsilon) / √(a + epsilon)`, `p ← p - rate · u`,
    `d ← rho · d + (1 - rho) · u²`. Zeiler 2012, https://arxiv.org/abs/1212.5701
    """

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        a = _mean(h["rho"], s["accumulated_grad"], jnp.square(g))
        past = s["accumulated_delta_var"]
        u = g * jnp.sqrt(past + h["epsilon"]) / jnp.sqrt(a + h["epsilon"])
        d = _mean(h["rho"], past, jnp.square(u))
        return -h["learning_rate"] * u, {"accumulated_grad": a, "accumulated_delta_var": d}

    return Rule(step, ({"accumulated_grad": 0.0, "accumulated_delta_var": 0.0},))


def _adam(amsgrad: bool) -> Rule:
    """Adam's rule: both moments, their bias corrected in the rate."""

    def prepare(h: Scalars, t: Array) -> Scalars:
        corrected = jnp.sqrt(_known(h["beta_2"], t)) / _known(h["beta_1"], t)
        return {**h, "rate": h["learning_rate"] * corrected}

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        m = _mean(h["beta_1"], s["momentum"], g)
        v = _mean(h["beta_2"], s["velocity"], jnp.square(g))
        new = {"momentum": m, "velocity": v}
        if amsgrad:
            v = new["velocity_hat"] = jnp.maximum(s["velocity_hat"], v)
        return -h["rate"] * m / (jnp.sqrt(v) + h["epsilon"]), new

    moments = {"momentum": 0.0, "velocity": 0.0}
    return Rule(step, (moments, {"velocity_hat": 0.0}) if amsgrad else (moments,), prepare)


@optimizer("Adam")
def adam(
    learning_rate: float | Schedule = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    amsgrad: bool = False,
) -> Rule:
    """Divides the mean gradient by the root of the mean square.

    `m ← beta_1 · m + (1 - beta_1) · g`, `v ← beta_2 · v + (1 - beta_2) · g²`,
    `p ← p - rate · √(1 - beta_2ᵗ) / (1 - beta_1ᵗ) · m / (√v + epsilon)`; `amsgrad` takes the
    largest v so far. Kingma and Ba 2014, https://arxiv.org/abs/1412.6980; Reddi et al. 2018,
    https://openreview.net/forum?id=ryQu7f-RZ
    """
    return _adam(amsgrad)


@optimizer("AdamW")
def adamw(
    learning_rate: float | Schedule = 0.001,
    weight_decay: float = 0.004,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    amsgrad: bool = False,
) -> Rule:
    """Adam after weight decay: first `p ← p - rate · weight_decay · p`.

    Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101
    """
    return _adam(amsgrad)


@optimizer("Adamax")
def adamax(
    learning_rate: float | Schedule = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> Rule:
    """Adam with the largest gradient in place of the root of the mean square.

    `u ← max(beta_2 · u, |g|)`, `p ← p - rate / (1 - beta_1ᵗ) · m / (u + epsilon)`.
    Kingma and Ba 2014, section 7, https://arxiv.org/abs/1412.6980
    """

    def prepare(h: Scalars, t: Array) -> Scalars:
        return {**h, "rate": h["learning_rate"] / _known(h["beta_1"], t)}

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        m = _mean(h["beta_1"], s["momentum"], g)
        u = jnp.maximum(h["beta_2"] * s["norm"], jnp.abs(g))
        return -h["rate"] * m / (u + h["epsilon"]), {"momentum": m, "norm": u}

    return Rule(step, ({"momentum": 0.0, "norm": 0.0},), prepare)


@optimizer("Nadam")
def nadam(
    learning_rate: float | Schedule = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    schedule_decay: float = 1.0,
) -> Rule:
    """Adam with Nesterov momentum, which grows as `μₜ = beta_1 · (1 - 0.96^(t · decay) / 2)`.

    `n = (1 - μₜ) · g / (1 - Πₜ) + μₜ₊₁ · m / (1 - Πₜ₊₁)` where Πₜ is the product of all μ so far,
    `p ← p - rate · n / (√(v / (1 - beta_2ᵗ)) + epsilon)`. The `schedule_decay` is 0.004 in Keras 1
    and 2, and 1 in Keras 3. Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
    """

    def momentum_at(h: Mapping[str, Any], t: Any) -> Any:
        return h["beta_1"] * (1 - 0.5 * 0.96 ** (t * h["schedule_decay"]))

    def scalars(h: Mapping[str, Any], t: ArrayLike) -> dict[str, Any]:
        steps = np.arange(1, int(t) + 1)
        return {"momentum_product": np.prod(momentum_at(h, steps))}

    def prepare(h: Scalars, t: Array) -> Scalars:
        now, after = momentum_at(h, t), momentum_at(h, t + 1)
        product = h["momentum_product"] * now
        return {
            **h,
            "momentum_product": product,
            "of_gradient": h["learning_rate"] * (1 - now) / (1 - product),
            "of_momentum": h["learning_rate"] * after / (1 - product * after),
            "unbiased": 1 / _known(h["beta_2"], t),
        }

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        m = _mean(h["beta_1"], s["momentum"], g)
        v = _mean(h["beta_2"], s["velocity"], jnp.square(g))
        pull = h["of_gradient"] * g + h["of_momentum"] * m
        change = -pull / (jnp.sqrt(v * h["unbiased"]) + h["epsilon"])
        return change, {"momentum": m, "velocity": v}

    return Rule(step, ({"momentum": 0.0, "velocity": 0.0},), prepare, scalars)


@optimizer("Ftrl")
def ftrl(
    learning_rate: float | Schedule = 0.001,
    learning_rate_power: float = -0.5,
    initial_accumulator_value: float = 0.1,
    l1_regularization_strength: float = 0.0,
    l2_regularization_strength: float = 0.0,
    l2_shrinkage_regularization_strength: float = 0.0,
    beta: float = 0.0,
) -> Rule:
    """Follows the regularized leader; l1 sets small weights to exactly zero.

    `σ = ((a + g²)^k - a^k) / rate` with `k = -learning_rate_power`, `a ← a + g²`,
    `z ← z + g + 2 · l2_shrinkage · p - σ · p`,
    `p ← (clip(z, -l1, l1) - z) / (a^k / rate + 2 · l2 + beta / rate)`.
    McMahan et al. 2013, https://research.google.com/pubs/archive/41159.pdf
    """

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        rate, power = h["learning_rate"], -h["learning_rate_power"]
        a = s["accumulator"] + jnp.square(g)
        strength = a**power
        sigma = (strength - s["accumulator"] ** power) / rate
        z = s["linear"] + g + 2 * h["l2_shrinkage_regularization_strength"] * p - sigma * p
        l1 = h["l1_regularization_strength"]
        curvature = (strength + h["beta"]) / rate + 2 * h["l2_regularization_strength"]
        new = (jnp.clip(z, -l1, l1) - z) / curvature
        return new - p, {"accumulator": a, "linear": z}

    slots = ({"accumulator": initial_accumulator_value, "linear": 0.0},)
    return Rule(step, slots, fixed=("initial_accumulator_value",))


@optimizer("Lion")
def lion(
    learning_rate: float | Schedule = 0.001, beta_1: float = 0.9, beta_2: float = 0.99
) -> Rule:
    """Steps of one size: `p ← p - rate · sign(beta_1 · m + (1 - beta_1) · g)`.

    Then `m ← beta_2 · m + (1 - beta_2) · g`. Chen et al. 2023, https://arxiv.org/abs/2302.06675
    """

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        m = s["momentum"]
        change = -h["learning_rate"] * jnp.sign(_mean(h["beta_1"], m, g))
        return change, {"momentum": _mean(h["beta_2"], m, g)}

    return Rule(step, ({"momentum": 0.0},))


@optimizer("ScheduleFreeAdamW")
def schedule_free_adamw(
    learning_rate: float | Schedule = 0.0025,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    warmup_steps: int = 0,
) -> Rule:
    """Adam without a schedule: gradients are taken between a fast sequence z and its mean x.

    `z ← z - rate · g / (√(v / (1 - beta_2ᵗ)) + epsilon)`, `x ← x + (z - x) / t` and
    `p = (1 - beta_1) · z + beta_1 · x`; the rate grows over the first `warmup_steps`.
    Defazio et al. 2024, https://arxiv.org/abs/2405.15682
    """

    def prepare(h: Scalars, t: Array) -> Scalars:
        warm = jnp.minimum(t / warmup_steps, 1) if warmup_steps else jnp.ones_like(t)
        unbiased = 1 / _known(h["beta_2"], t)
        return {**h, "warm": h["learning_rate"] * warm, "unbiased": unbiased, "share": 1 / t}

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        v = _mean(h["beta_2"], s["velocity"], jnp.square(g))
        x = (p - (1 - h["beta_1"]) * s["momentum"]) / h["beta_1"]
        z = s["momentum"] - h["warm"] * g / (jnp.sqrt(v * h["unbiased"]) + h["epsilon"])
        x = _mean(1 - h["share"], x, z)
        return _mean(h["beta_1"], x, z) - p, {"momentum": z, "velocity": v}

    copied = {"momentum": lambda p: p.astype(wide(p.dtype)), "velocity": 0.0}
    return Rule(step, (copied,), prepare, fixed=("warmup_steps",))


@optimizer("Muon")
def muon(
    learning_rate: float | Schedule = 0.001,
    adam_beta_1: float = 0.9,
    adam_beta_2: float = 0.999,
    adam_weight_decay: float = 0.004,
    epsilon: float = 1e-7,
    weight_decay: float = 0.004,
    exclude_layers: Sequence[str] | None = None,
    exclude_embeddings: bool = True,
    muon_a: float = 3.4445,
    muon_b: float = -4.7750,
    muon_c: float = 2.0315,
    adam_lr_ratio: float = 1.0,
    momentum: float = 0.95,
    ns_steps: int = 5,
    nesterov: bool = True,
    rms_rate: float | None = 0.2,
) -> Rule:
    """Matrices step by their momentum with all singular values made nearly one; others by AdamW.

    `m ← momentum · m + g`, then `ns_steps` of a Newton-Schulz iteration on `m` (with `nesterov`,
    on `g + momentum · m`) divided by its norm, `x ← a·x + (b·s + c·s²) x` with `s = x xᵀ`, and
    `p ← p - rate · rms_rate · √max(shape) · x`. What is no matrix, embeddings, and arrays whose
    path matches an entry of `exclude_layers` follow Adam.
    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; Liu et al. 2025,
    https://arxiv.org/abs/2502.16982
    """

    by_entry = _adam(amsgrad=False)

    def prepare(h: Scalars, t: Array) -> Scalars:
        decays = {"beta_1": h["adam_beta_1"], "beta_2": h["adam_beta_2"]}
        h = by_entry.prepare({**h, **decays}, t)
        return {**h, "rate": h["rate"] * h["adam_lr_ratio"]}

    def orthogonal(h: Scalars, x: Array) -> Array:
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / (jnp.linalg.norm(x) + 1e-7)
        for _ in range(ns_steps):
            s = x @ x.T
            x = h["muon_a"] * x + (h["muon_b"] * s + h["muon_c"] * s @ s) @ x
        return x.T if tall else x

    def by_matrix(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        m = h["momentum"] * s["momentum"] + g
        scale = 1.0 if rms_rate is None else rms_rate * max(p.shape) ** 0.5
        x = orthogonal(h, g + h["momentum"] * m if nesterov else m)
        return -h["learning_rate"] * scale * x, {"momentum": m}

    matrix = Rule(by_matrix, ({"momentum": 0.0},))
    others = by_entry._replace(prepare=prepare, fixed=("ns_steps",), decay="adam_weight_decay")
    passed_over = ([r"(?i)embedding"] if exclude_embeddings else []) + list(exclude_layers or ())

    def chosen(path: str, p: Array) -> Rule:
        excluded = any(re.search(words, path) for words in passed_over)
        return others if p.ndim != 2 or excluded else matrix

    return others._replace(chosen=chosen)


@optimizer("Lamb")
def lamb(
    learning_rate: float | Schedule = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> Rule:
    """Adam whose step on each array is as long as the array: `p ← p - rate · ‖p‖ / ‖u‖ · u`.

    `u = m / (1 - beta_1ᵗ) / (√(v / (1 - beta_2ᵗ)) + epsilon)`; the ratio is 1 where a norm is 0.
    You et al. 2019, https://arxiv.org/abs/1904.00962
    """

    def prepare(h: Scalars, t: Array) -> Scalars:
        return {
            **h,
            "unbiased_1": 1 / _known(h["beta_1"], t),
            "unbiased_2": 1 / _known(h["beta_2"], t),
        }

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        m = _mean(h["beta_1"], s["momentum"], g)
        v = _mean(h["beta_2"], s["velocity"], jnp.square(g))
        u = m * h["unbiased_1"] / (jnp.sqrt(v * h["unbiased_2"]) + h["epsilon"])
        length, size = global_norm([p]), global_norm([u])
        both = (length > 0) & (size > 0)
        ratio = jnp.where(both, length / jnp.where(both, size, 1), 1)
        return -h["learning_rate"] * ratio * u, {"momentum": m, "velocity": v}

    return Rule(step, ({"momentum": 0.0, "velocity": 0.0},), prepare)


def _rms(x: Array) -> Array:
    return jnp.sqrt(jnp.mean(jnp.square(x)))


@optimizer("Adafactor")
def adafactor(
    learning_rate: float | Schedule = 0.001,
    beta_2_decay: float = -0.8,
    epsilon_1: float = 1e-30,
    epsilon_2: float = 0.001,
    clip_threshold: float = 1.0,
    relative_step: bool = True,
) -> Rule:
    """Adam without momentum that keeps row and column means of the mean square of a matrix.

    `beta = 1 - t^beta_2_decay`; `u = g / √v`, shortened to a root mean square of at most
    `clip_threshold`; `p ← p - min(rate, 1 / √t) · max(epsilon_2, rms(p)) · u`. As Keras 3 has it,
    the rate is bounded by `1 / √t` with and without `relative_step`.
    Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235
    """

    def prepare(h: Scalars, t: Array) -> Scalars:
        rate = jnp.minimum(h["learning_rate"], lax.rsqrt(t))
        return {**h, "rate": rate, "beta": 1 - t ** h["beta_2_decay"]}

    def step(h: Scalars, g: Array, p: Array, s: Slots) -> tuple[Array, Slots]:
        square = jnp.square(g) + h["epsilon_1"]
        if p.ndim < 2:
            new = {"velocity": _mean(h["beta"], s["velocity"], square)}
        else:
            rows = _mean(h["beta"], s["rows"], square.mean(axis=-1))
            columns = _mean(h["beta"], s["columns"], square.mean(axis=-2))
            share = rows / rows.mean(axis=-1, keepdims=True)
            velocity = share[..., :, None] * columns[..., None, :]
            new = {"rows": rows, "columns": columns, "velocity": velocity}
        u = g / jnp.sqrt(new["velocity"])
        u = u / jnp.maximum(1, _rms(u) / h["clip_threshold"])
        return -h["rate"] * jnp.maximum(h["epsilon_2"], _rms(p)) * u, new

    def mean_over(axis: int) -> Callable[[Array], Array]:
        def zeros(p: Array) -> Array:
            shape = np.delete(p.shape, axis).tolist() if p.ndim > 1 else ()
            return jnp.zeros(shape, wide(p.dtype))

        return zeros

    group = {"rows": mean_over(-1), "columns": mean_over(-2), "velocity": 0.0}
    return Rule(step, (group,), prepare)


SGD = sgd
RMSprop = rmsprop
Adagrad = adagrad
Adadelta = adadelta
Adam = adam
AdamW = adamw
Adamax = adamax
Nadam = nadam
Ftrl = ftrl
Lion = lion
Lamb = lamb
Muon = muon
ScheduleFreeAdamW = schedule_free_adamw
Adafactor = adafactor
