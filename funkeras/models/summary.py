"""A model as a table."""

from typing import Any

__all__ = ["table"]


def table(model: Any, line_length: int | None = None) -> str:
    """Layers with output shape and parameter count, then the totals.

    Of a layer without weights yet, the shape is `?` and the count `0 (unbuilt)`, as in Keras 3.
    """
    header = ("Layer (type)", "Output shape", "Params")
    rows = [
        (
            f"{layer.name} ({type(layer).__name__})",
            str(getattr(layer, "output_shape", None) or "?"),
            f"{layer.count_params():,}" if layer.built else "0 (unbuilt)",
        )
        for layer in model.layers
    ]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(3)]
    if line_length:
        widths[0] = max(widths[0], line_length - widths[1] - widths[2] - 10)

    def line(left: str, fill: str, middle: str, right: str) -> str:
        return left + middle.join(fill * (width + 2) for width in widths) + right

    def row(cells: tuple[str, str, str]) -> str:
        name, shape, count = cells
        return f"│ {name:<{widths[0]}} │ {shape:<{widths[1]}} │ {count:>{widths[2]}} │"

    trainable = sum(
        layer.count_params() - sum(_size(v) for v in layer.non_trainable_weights)
        for layer in model.layers
    )
    total = sum(layer.count_params() for layer in model.layers)
    memory = sum(_size(v) * v.dtype.itemsize for layer in model.layers for v in layer.weights)
    return "\n".join(
        [
            f"Model: {model.name}",
            line("┌", "─", "┬", "┐"),
            row(header),
            line("├", "─", "┼", "┤"),
            *(row(cells) for cells in rows),
            line("└", "─", "┴", "┘"),
            f"Total params: {total:,} ({_bytes(memory)})",
            f"Trainable params: {trainable:,}",
            f"Non-trainable params: {total - trainable:,}",
        ]
    )


def _size(variable: Any) -> int:
    count = 1
    for size in variable.shape:
        count *= size
    return count


def _bytes(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:.4g} GB"
