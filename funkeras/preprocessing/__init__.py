"""NumPy preparation of data: sequences, texts and images, as in `keras.preprocessing`."""

from funkeras.preprocessing import image, sequence, text

__all__ = ["image", "sequence", "text"]
