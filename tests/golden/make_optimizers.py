"""Write optimizers_keras3.json: Keras 3's optimizers on fixed gradients, and its schedules.

Run with genuine Keras: `KERAS_BACKEND=jax python tests/golden/make_optimizers.py`.
"""

import json
import warnings
from pathlib import Path

import keras
import numpy as np

STEPS = 7
START = {"kernel": [[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]], "bias": [0.05, -0.4]}
RULES = [
    ("SGD", {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05}),
    ("SGD", {"learning_rate": 0.1, "loss_scale_factor": 8.0, "clipvalue": 0.2}),
    ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 3, "momentum": 0.5}),
    (
        "SGD",
        {
            "learning_rate": 0.1,
            "use_ema": True,
            "ema_momentum": 0.7,
            "ema_overwrite_frequency": 3,
        },
    ),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "momentum": 0.6}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "rho": 0.7}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.3, "clipnorm": 0.5}),
    ("Adadelta", {"learning_rate": 2.0, "rho": 0.8, "global_clipnorm": 0.7}),
    ("Adam", {"learning_rate": 0.05, "amsgrad": True, "weight_decay": 0.1, "beta_2": 0.8}),
    ("Adam", {"learning_rate": 0.05, "gradient_accumulation_steps": 2, "clipnorm": 0.3}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.2, "global_clipnorm": 0.5}),
    ("Adamax", {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.8, "weight_decay": 0.1}),
    ("Nadam", {"learning_rate": 0.05, "beta_1": 0.7, "weight_decay": 0.1}),
    (
        "Ftrl",
        {
            "learning_rate": 0.3,
            "learning_rate_power": -0.4,
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.1,
        },
    ),
    ("Lion", {"learning_rate": 0.01, "weight_decay": 0.3, "beta_2": 0.9}),
    ("Lamb", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("Adafactor", {"learning_rate": 0.9, "relative_step": False, "clip_threshold": 0.5}),
    ("Adafactor", {"learning_rate": 0.9, "weight_decay": 0.02}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.05, "warmup_steps": 3, "weight_decay": 0.1}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.05, "beta_1": 0.8, "clipnorm": 0.5}),
    ("Muon", {"learning_rate": 0.05}),
    ("Muon", {"learning_rate": 0.05, "nesterov": False, "rms_rate": None, "momentum": 0.8}),
    ("Muon", {"learning_rate": 0.05, "exclude_layers": [".*"], "adam_lr_ratio": 0.5}),
    ("Muon", {"learning_rate": 0.05, "weight_decay": 0.2, "adam_weight_decay": 0.1}),
]
SCHEDULES = [
    ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.9}),
    ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"decay_steps": 10, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"decay_steps": 10, "decay_rate": 0.5, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 10, 11], "values": [1.0, 0.5, 0.2, 0.1]}),
    ("PolynomialDecay", {"decay_steps": 20, "end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", {"decay_steps": 20, "cycle": True}),
    ("CosineDecay", {"decay_steps": 25, "alpha": 0.1}),
    ("CosineDecay", {"decay_steps": 25, "warmup_target": 0.8, "warmup_steps": 9}),
    ("CosineDecayRestarts", {"first_decay_steps": 7, "m_mul": 0.8, "alpha": 0.1}),
    ("CosineDecayRestarts", {"first_decay_steps": 7, "t_mul": 1.0, "m_mul": 0.5}),
    ("CosineDecayRestarts", {"first_decay_steps": 5, "t_mul": 1.5}),
]
POINTS = [0, 1, 3, 6, 8, 10, 11, 12, 17, 19, 20, 23, 34, 50, 64, 101]


def gradient(shape: tuple[int, ...], step: int) -> np.ndarray:
    """Numbers that change sign and size with the step."""
    index = np.arange(np.prod(shape)).reshape(shape)
    return np.sin(1.7 * index + 0.9 * step + 0.3) * (0.3 + 0.2 * step % 1)


def run(name: str, arguments: dict) -> dict:
    """The variables after each step, and the optimizer's own at the end."""
    optimizer = getattr(keras.optimizers, name)(**arguments)
    variables = [keras.Variable(np.float32(START[key]), name=key) for key in START]
    optimizer.build(variables)
    history = []
    for step in range(STEPS):
        optimizer.apply([np.float32(gradient(v.shape, step)) for v in variables])
        history.append([np.asarray(v).round(9).tolist() for v in variables])
    state = [np.asarray(v).astype(float).round(9).tolist() for v in optimizer.variables]
    return {"class": name, "arguments": arguments, "history": history, "state": state}


def sampled(name: str, arguments: dict) -> dict:
    """A schedule's values at the points."""
    given = {} if "values" in arguments else {"initial_learning_rate": 0.4}
    schedule = getattr(keras.optimizers.schedules, name)(**given, **arguments)
    return {
        "class": name,
        "config": schedule.get_config(),
        "values": [round(float(schedule(step)), 9) for step in POINTS],
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    content = {
        "keras": keras.__version__,
        "start": START,
        "gradients": [
            [gradient(np.shape(START[key]), step).round(9).tolist() for key in START]
            for step in range(STEPS)
        ],
        "points": POINTS,
        "rules": [run(*row) for row in RULES],
        "schedules": [sampled(*row) for row in SCHEDULES],
    }
    path = Path(__file__).parent / "optimizers_keras3.json"
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")
