"""The 1797 digits of scikit-learn, which the extra `sklearn` brings."""

from __future__ import annotations

from sklearn.datasets import load_digits as fetch_digits

from symbackprop.training.data import DataSet


def load_digits() -> DataSet:
    """Return 1797 images of handwritten digits, 8 by 8 pixels with values 0 to 16.

    Source: Alpaydin and Kaynak 1998, UCI Machine Learning Repository, as scikit-learn ships them.

    >>> digits = load_digits()
    >>> digits.x.shape, len(digits.classes)
    ((1797, 64), 10)
    """
    bunch = fetch_digits()
    return DataSet(
        bunch.data, bunch.target, tuple(bunch.feature_names), tuple(str(label) for label in bunch.target_names)
    )
