"""Write drawn.npz: what genuine Keras 3 gives of some draws of tests/layers/drawn.py.

Run here, with genuine Keras and TensorFlow in another Python:
`KERAS_PYTHON=… python tests/golden/make_drawn.py`.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "layers"))
from drawn import draw
from test_drawn import NUMBERS, STORED, genuine, packed


def main():
    cases = [draw(name, number) for name, number in NUMBERS]
    with tempfile.TemporaryDirectory() as folder:
        results = genuine("keras", cases, Path(folder) / "cases")
    by_name = {f"{name}-{i}": result for (name, i), result in zip(NUMBERS, results, strict=True)}
    np.savez_compressed(STORED, **packed(by_name))


if __name__ == "__main__":
    main()
