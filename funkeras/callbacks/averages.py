"""`SwapEMAWeights`: the moving averages of the weights are judged, not the weights themselves."""

from funkeras.callbacks.base import Callback, Logs

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Puts the averages that an optimizer with `use_ema=True` keeps in the weights' place to judge.

    Evaluations, of the validation data too, and predictions see the averages (Polyak and Juditsky
    1992); training goes on from the weights.

    Args:
        swap_on_epoch: leave the averages in the model from the end of an epoch to the beginning of
            the next one, so that callbacks such as `ModelCheckpoint` after this one see them.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._averages_in_model = False

    def _put(self, averages: bool) -> None:
        """See that the model has the averages, or its own weights."""
        if averages != self._averages_in_model:
            if self.model._engine is None:
                raise ValueError("SwapEMAWeights needs a model that was trained with use_ema=True")
            self.model._engine.take_averages(self.model, swap=True)
            self._averages_in_model = averages

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Train on from the weights."""
        self._put(averages=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Show the averages to the callbacks that follow; after the last epoch they stay."""
        if not self.swap_on_epoch:
            return
        if epoch == self.params["epochs"] - 1 or self.model.stop_training:
            self.model._engine.take_averages(self.model, swap=False)
        else:
            self._put(averages=True)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Judge the averages."""
        self._put(averages=True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Go back to the weights."""
        self._put(averages=False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Predict by the averages."""
        self._put(averages=True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Go back to the weights."""
        self._put(averages=False)

    def release(self) -> None:
        """Go back to the weights, if an error ended the run in between."""
        self._put(averages=False)
