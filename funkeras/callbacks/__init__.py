"""Hooks at epoch and batch boundaries. They see a model and import none."""

from funkeras.callbacks.averages import SwapEMAWeights
from funkeras.callbacks.backup import BackupAndRestore
from funkeras.callbacks.base import Callback
from funkeras.callbacks.checkpoint import ModelCheckpoint
from funkeras.callbacks.listed import CallbackList
from funkeras.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from funkeras.callbacks.records import (
    BaseLogger,
    CSVLogger,
    History,
    LambdaCallback,
    ProgbarLogger,
    RemoteMonitor,
)
from funkeras.callbacks.stopping import EarlyStopping, TerminateOnNaN
from funkeras.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
