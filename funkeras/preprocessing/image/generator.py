"""`ImageDataGenerator`: normalisation and random transformation of images, in batches."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from funkeras import config
from funkeras.preprocessing.image.files import DataFrameIterator, DirectoryIterator
from funkeras.preprocessing.image.iterators import NumpyArrayIterator, check_images
from funkeras.preprocessing.image.pictures import channels_first
from funkeras.preprocessing.image.transforms import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    pair_of,
)
from funkeras.preprocessing.spelling import any_spelling

__all__ = ["ImageDataGenerator"]

EPSILON = {"classic": 1e-7, "keras2": 1e-6, "modern": 1e-6}
"""Added to standard deviations."""
STATISTICS = {
    "featurewise_center": "mean",
    "featurewise_std_normalization": "std",
    "zca_whitening": "zca_whitening_matrix",
}
"""Option → where `fit` puts what it needs."""


class ImageDataGenerator:
    """Makes batches of images, each normalised and transformed at random.

    Args:
        featurewise_center, featurewise_std_normalization, zca_whitening: subtract the data's mean
            of each channel, divide by its standard deviation, decorrelate pixels; need `fit`.
        samplewise_center, samplewise_std_normalization: subtract each image's mean, divide by its
            standard deviation: over all of it, or for each pixel over its channels in Keras 1.
        zca_epsilon: added to variances when whitening.
        rotation_range: largest angle in degrees.
        width_shift_range, height_shift_range: largest shift: a share of the size if below 1, else
            pixels; a sequence lists the shifts. Always a share in Keras 1.
        brightness_range: least and greatest factor.
        shear_range: largest angle in degrees, in radians in Keras 1.
        zoom_range: least and greatest factor, or z for `[1 - z, 1 + z]`.
        channel_shift_range: largest change of a channel's values.
        fill_mode, cval: what lies beyond the borders, as in `apply_transform`.
        horizontal_flip, vertical_flip: flip every second image, by chance.
        rescale: factor for the values, applied before normalisation.
        preprocessing_function: from an image to one of that shape, applied before that.
        data_format: `channels_first` or `channels_last`; Keras 1 calls it `dim_ordering`.
        validation_split: share of the samples for `subset="validation"`.
        interpolation_order: of the spline between pixels; 0 in Keras 1.

    >>> generator = ImageDataGenerator(rescale=0.5)
    >>> next(generator.flow(np.ones((3, 8, 8, 1)), batch_size=2)).mean()
    np.float32(0.5)
    """

    @any_spelling(
        "featurewise_center",
        "samplewise_center",
        "featurewise_std_normalization",
        "samplewise_std_normalization",
        "zca_whitening",
        "rotation_range",
        "width_shift_range",
        "height_shift_range",
        "shear_range",
        "zoom_range",
        "channel_shift_range",
        "fill_mode",
        "cval",
        "horizontal_flip",
        "vertical_flip",
        "rescale",
        "preprocessing_function",
        "data_format",
    )
    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], Any] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: str | None = None,
    ) -> None:
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"validation_split must be in (0, 1), got {validation_split}")
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = brightness_range and pair_of("brightness_range", brightness_range)
        self.shear_range = shear_range
        if not hasattr(zoom_range, "__len__"):
            zoom_range = (1 - zoom_range, 1 + zoom_range)
        self.zoom_range = list(pair_of("zoom_range", zoom_range))
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        first = channels_first(data_format)
        self.data_format = "channels_first" if first else "channels_last"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        self.validation_split = validation_split
        self.interpolation_order = interpolation_order
        self.dtype = dtype or config.floatx()
        self.dialect = config.dialect()
        self.mean: np.ndarray | None = None
        self.std: np.ndarray | None = None
        self.zca_whitening_matrix: np.ndarray | None = None
        if self.dialect != "classic":
            self._imply()

    @property
    def dim_ordering(self) -> str:
        """`data_format` in the words of Keras 1."""
        return {new: old for old, new in config.ORDERINGS.items()}[self.data_format]

    @property
    def principal_components(self) -> np.ndarray | None:
        """`zca_whitening_matrix`, as Keras 1 and 2 call it."""
        return self.zca_whitening_matrix

    def _imply(self) -> None:
        """Switch what later generations switch with another option, and say so."""
        implied = (
            ("zca_whitening", "featurewise_center", True),
            ("zca_whitening", "featurewise_std_normalization", False),
            ("featurewise_std_normalization", "featurewise_center", True),
            ("samplewise_std_normalization", "samplewise_center", True),
        )
        for given, other, value in implied:
            if getattr(self, given) and getattr(self, other) != value:
                setattr(self, other, value)
                warnings.warn(f"{given} sets {other}={value}", stacklevel=4)

    # Batches

    @any_spelling(
        "x", "y", "batch_size", "shuffle", "seed", "save_to_dir", "save_prefix", "save_format"
    )
    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of the images of an array, endlessly.

        Args:
            x, y, sample_weight, subset, ignore_class_split: as in `NumpyArrayIterator`.
            seed: of the order and the transformations.
            save_to_dir, save_prefix, save_format: write what is given out as pictures there.
        """
        with config.using_dialect(self.dialect):
            return NumpyArrayIterator(
                x,
                y,
                self,
                batch_size=batch_size,
                shuffle=shuffle,
                sample_weight=sample_weight,
                seed=seed,
                data_format=self.data_format,
                save_to_dir=save_to_dir,
                save_prefix=save_prefix,
                save_format=save_format,
                subset=subset,
                ignore_class_split=ignore_class_split,
                dtype=self.dtype,
            )

    @any_spelling()
    def flow_from_directory(
        self,
        directory: Any,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of the pictures in a folder with one folder for each class, endlessly.

        Args:
            target_size: rows and columns that pictures are resized to.
            color_mode, interpolation, keep_aspect_ratio: as in `load_img`.
            classes, class_mode: as in `DirectoryIterator`.
            follow_links: enter folders that are links.
            subset: `training` or `validation`, by `validation_split`.
            seed, save_to_dir, save_prefix, save_format: as in `flow`.
        """
        with config.using_dialect(self.dialect):
            return DirectoryIterator(
                directory,
                self,
                target_size=target_size,
                color_mode=color_mode,
                classes=classes,
                class_mode=class_mode,
                data_format=self.data_format,
                batch_size=batch_size,
                shuffle=shuffle,
                seed=seed,
                save_to_dir=save_to_dir,
                save_prefix=save_prefix,
                save_format=save_format,
                follow_links=follow_links,
                subset=subset,
                interpolation=interpolation,
                keep_aspect_ratio=keep_aspect_ratio,
                dtype=self.dtype,
            )

    @any_spelling()
    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: str | Sequence[str] = "class",
        weight_col: str | None = None,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        keep_aspect_ratio: bool = False,
        has_ext: bool = True,
        sort: bool | None = None,
        drop_duplicates: bool | None = None,
    ) -> DataFrameIterator:
        """Batches of the pictures that a table lists, endlessly.

        Args:
            dataframe, directory, x_col, y_col, weight_col, class_mode, validate_filenames: as in
                `DataFrameIterator`; the class mode `other` of Keras 2 is `raw`.
            has_ext: must be true: file names are complete.
            sort, drop_duplicates: without effect, as in Keras since 2.2.5: rows stay as they are.
            others: as in `flow_from_directory`.
        """
        if not has_ext:
            raise ValueError("has_ext=False is not possible: give the complete file names")
        for name, value in (("sort", sort), ("drop_duplicates", drop_duplicates)):
            if value is not None:
                warnings.warn(f"{name} does nothing: rows are taken as they are", stacklevel=3)
        with config.using_dialect(self.dialect):
            return DataFrameIterator(
                dataframe,
                directory,
                self,
                x_col=x_col,
                y_col=y_col,
                weight_col=weight_col,
                target_size=target_size,
                color_mode=color_mode,
                classes=classes,
                class_mode="raw" if class_mode == "other" else class_mode,
                data_format=self.data_format,
                batch_size=batch_size,
                shuffle=shuffle,
                seed=seed,
                save_to_dir=save_to_dir,
                save_prefix=save_prefix,
                save_format=save_format,
                subset=subset,
                interpolation=interpolation,
                keep_aspect_ratio=keep_aspect_ratio,
                dtype=self.dtype,
                validate_filenames=validate_filenames,
            )

    # One image

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """An image (or a batch), normalised; `x` itself stays what it is."""
        classic, epsilon = self.dialect == "classic", EPSILON[self.dialect]
        axis = self.channel_axis - 1 if classic else None
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x = x * self.rescale
        if self.samplewise_center:
            x = x - np.mean(x, axis=axis, keepdims=True)
        if self.samplewise_std_normalization:
            x = x / (np.std(x, axis=axis, keepdims=True) + epsilon)
        if (mean := self._statistic("featurewise_center")) is not None:
            x = x - mean
        if (std := self._statistic("featurewise_std_normalization")) is not None:
            x = x / (std + epsilon)
        if (whitening := self._statistic("zca_whitening")) is not None:
            x = (x.reshape(-1, int(np.prod(x.shape[-3:]))) @ whitening).reshape(x.shape)
        return x

    def _statistic(self, option: str) -> Any:
        """What `fit` found for an option that is on."""
        if not getattr(self, option):
            return None
        found = getattr(self, STATISTICS[option])
        if found is None:
            warnings.warn(f"{option} does nothing before .fit(images)", stacklevel=3)
        return found

    def get_random_transform(self, img_shape: Sequence[int], seed: Any = None) -> dict[str, Any]:
        """Parameters of a random transformation for an image of that shape.

        Args:
            seed: a number, a `numpy.random.RandomState` to draw from, or None for NumPy's global
                generator. Draws come in the order in which each generation makes them.
        """
        source = np.random.RandomState(seed) if isinstance(seed, int | np.integer) else seed
        source = np.random if source is None else source
        classic = self.dialect == "classic"

        def around(limit: Any) -> Any:
            return source.uniform(-limit, limit) if limit else 0

        def shift(limit: Any, size: int) -> Any:
            if not np.any(limit):
                return 0
            listed = not isinstance(limit, float | np.floating) and not (
                classic and np.isscalar(limit)
            )
            drawn = source.choice(limit) * source.choice([-1, 1]) if listed else around(limit)
            return drawn * size if (classic and not listed) or np.max(limit) < 1 else drawn

        def flip(wanted: bool) -> bool:
            drawn = source.random_sample() < 0.5 if wanted or not classic else False
            return bool(wanted and drawn)

        def channels() -> Any:
            limit = self.channel_shift_range
            many = img_shape[self.channel_axis - 1] if classic else None
            return source.uniform(-limit, limit, many) if limit else None

        parameters: dict[str, Any] = {
            "theta": around(self.rotation_range),
            "tx": shift(self.height_shift_range, img_shape[self.row_axis - 1]),
            "ty": shift(self.width_shift_range, img_shape[self.col_axis - 1]),
            "shear": around(self.shear_range),
        }
        low, high = self.zoom_range
        zooms = (1, 1) if low == high == 1 else source.uniform(low, high, 2)
        parameters["zx"], parameters["zy"] = zooms
        if classic:
            parameters["channel_shift_intensity"] = channels()
        parameters["flip_horizontal"] = flip(self.horizontal_flip)
        parameters["flip_vertical"] = flip(self.vertical_flip)
        if not classic:
            parameters["channel_shift_intensity"] = channels()
        parameters["brightness"] = None
        if self.brightness_range:
            darkest, brightest = self.brightness_range
            parameters["brightness"] = source.uniform(darkest, brightest)
        return parameters

    def apply_transform(self, x: np.ndarray, transform_parameters: Any) -> np.ndarray:
        """One image, transformed by the parameters that `get_random_transform` gives.

        They are `theta`, `tx`, `ty`, `shear`, `zx`, `zy` as in `apply_affine_transform`,
        `channel_shift_intensity`, `flip_horizontal`, `flip_vertical` and `brightness`; those that
        are missing change nothing.
        """
        rows, columns, channels = (
            axis - 1 for axis in (self.row_axis, self.col_axis, self.channel_axis)
        )
        affine = ("theta", "tx", "ty", "shear", "zx", "zy")
        given = {
            name: transform_parameters[name] for name in affine if name in transform_parameters
        }
        with config.using_dialect(self.dialect):
            x = apply_affine_transform(
                x,
                **given,
                row_axis=rows,
                col_axis=columns,
                channel_axis=channels,
                fill_mode=self.fill_mode,
                cval=self.cval,
                order=self.interpolation_order,
            )
            intensity = transform_parameters.get("channel_shift_intensity")
            if intensity is not None:
                x = apply_channel_shift(x, intensity, channels)
            for name, axis in (("flip_horizontal", columns), ("flip_vertical", rows)):
                if transform_parameters.get(name):
                    x = flip_axis(x, axis)
            brightness = transform_parameters.get("brightness")
            if brightness is not None:
                scale = self.dialect != "modern"
                x = apply_brightness_shift(x, brightness, scale, self.data_format)
        return x

    def random_transform(self, x: np.ndarray, seed: Any = None) -> np.ndarray:
        """One image, transformed at random; `seed` is as in `get_random_transform`."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    # Statistics

    @any_spelling()
    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Find the mean, the standard deviation and the whitening matrix of the images `x`.

        Args:
            x: of rank 4.
            augment: look at `rounds` random transformations of each image instead.
        """
        x = np.array(x, self.dtype)
        check_images(x, self.data_format)
        if self.rescale and self.dialect != "classic":
            x = x * self.rescale
        if augment:
            source = np.random if seed is None else np.random.RandomState(seed)
            drawn = None if seed is None else source
            images = [self.random_transform(image, drawn) for _ in range(rounds) for image in x]
            x = np.stack(images).astype(self.dtype)
        axes = (0, self.row_axis, self.col_axis)
        shape = [1, 1, 1]
        shape[self.channel_axis - 1] = -1
        if self.featurewise_center:
            mean = self.mean = np.mean(x, axis=axes).reshape(shape)
            x = x - mean
        if self.featurewise_std_normalization:
            std = self.std = np.std(x, axis=axes).reshape(shape)
            x = x / (std + EPSILON[self.dialect])
        if self.zca_whitening:
            self.zca_whitening_matrix = self._whitening(x.reshape(len(x), -1))

    def _whitening(self, flat: np.ndarray) -> np.ndarray:
        """`U (S + epsilon)^(-1/2) U'` of the covariance `U S U'` of the rows.

        Keras 3 adds epsilon to singular values of the rows, and leaves out directions in which
        they do not vary.
        """
        if self.dialect == "modern":
            u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
            return (u * (np.sqrt(len(flat)) / (s + self.zca_epsilon))) @ u.T
        u, s, _ = np.linalg.svd(flat.T @ flat / len(flat))
        return (u / np.sqrt(s + self.zca_epsilon)) @ u.T
