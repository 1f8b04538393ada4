"""Data sets: what ships equals its source, files are read or refused, and splits are fair and seeded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris as load_sklearn_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import symbackprop.training as training
from symbackprop.errors import ArgumentError, DataError, UnknownNameError
from symbackprop.training import (
    encode_one_hot,
    fit_standardisation,
    load_iris,
    read_csv,
    read_npz,
    split_stratified,
)


def test_iris_is_what_scikit_learn_ships() -> None:
    """The table in the package holds scikit-learn's numbers, and says its source and licence."""
    iris, source = load_iris(), load_sklearn_iris()
    text = (Path(training.__file__).parent / "iris.csv").read_text(encoding="utf-8")

    np.testing.assert_array_equal(iris.x, source.data)
    np.testing.assert_array_equal(iris.y, source.target)
    assert iris.classes == tuple(source.target_names)
    assert "Fisher" in text
    assert "CC BY 4.0" in text


def test_digits_come_with_the_extra() -> None:
    """The digits are reached through the package root and not imported with it."""
    digits = training.load_digits()

    assert digits.one_hot().sum(axis=0).tolist() == np.bincount(digits.y).tolist()
    with pytest.raises(AttributeError, match="load_mnist"):
        training.load_mnist  # noqa: B018


def test_the_split_of_iris() -> None:
    """Forty-five test samples of iris are fifteen of each species, the same ones for the same seed."""
    iris = load_iris()
    train, test = split_stratified(iris.y, 45, seed=0)

    assert np.bincount(iris.y[test]).tolist() == [15, 15, 15]
    assert sorted([*train, *test]) == list(range(150))
    np.testing.assert_array_equal(test, split_stratified(iris.y, 45, seed=0)[1])
    assert test.tolist() != split_stratified(iris.y, 45, seed=1)[1].tolist()


@given(st.lists(st.integers(0, 3), min_size=2, max_size=40), st.data())
def test_splits_keep_proportions(labels: list[int], draw: st.DataObject) -> None:
    """Every class gives its share to the test part, to within one sample, and the size is as asked for."""
    size = draw.draw(st.integers(1, len(labels) - 1))
    train, test = split_stratified(labels, size, seed=3)

    assert len(test) == size
    assert len(train) == len(labels) - size
    for value in set(labels):
        share = size * labels.count(value) / len(labels)
        assert abs(sum(labels[row] == value for row in test) - share) < 1


def test_split_sizes_outside_the_range_are_refused() -> None:
    """Both parts keep at least one sample."""
    for size in (0, 4, -1):
        with pytest.raises(ArgumentError, match="between 1 and 3"):
            split_stratified([0, 0, 1, 1], size, seed=0)


def test_standardisation_is_by_training_statistics() -> None:
    """Means and scales are those of the training samples, as scikit-learn's StandardScaler has them."""
    iris = load_iris()
    train, test = split_stratified(iris.y, 45, seed=0)
    standard = fit_standardisation(iris.x[train])
    scaler = StandardScaler().fit(iris.x[train])

    np.testing.assert_allclose(standard.apply(iris.x[test]), scaler.transform(iris.x[test]), rtol=1e-12, atol=1e-12)
    assert np.abs(standard.apply(iris.x[test]).mean(axis=0)).max() > 1e-6
    with pytest.raises(DataError, match="4 features"):
        standard.apply(np.zeros((2, 3)))


def test_one_hot_rows() -> None:
    """Each row has its 1 at the label; labels outside the classes are refused with their range."""
    np.testing.assert_array_equal(encode_one_hot([1, 0, 2], 3), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    for labels in ([3], [-1]):
        with pytest.raises(DataError, match=r"0\.\.2"):
            encode_one_hot(labels, 3)
    with pytest.raises(DataError, match="integers"):
        encode_one_hot([0.5], 3)


def test_tables_are_read(tmp_path: Path) -> None:
    """A CSV file gives features by name; text targets become classes and numbers stay numbers."""
    path = tmp_path / "table.csv"
    path.write_text("# a comment\na, kind, b\n1, cat, 2\n3.5, ant, -4e1\n\n", encoding="utf-8")

    table = read_csv(path, target="kind")
    assert table.features == ("a", "b")
    assert table.x.tolist() == [[1.0, 2.0], [3.5, -40.0]]
    assert table.classes == ("ant", "cat")
    assert table.one_hot().tolist() == [[0.0, 1.0], [1.0, 0.0]]
    path.write_text("a,y\n1,0.5\n", encoding="utf-8")
    assert read_csv(path).y.tolist() == [0.5]
    assert read_csv(path).classes == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no samples"),
        ("a,b\n", "no samples"),
        ("1,2\n3,4\n", "header"),
        ("a,b\n1,2\n3\n", "line 3: 1 cells where the header has 2"),
        ("a,b\n\n1,2\nnan,2\n", "line 4: 'nan' is not a finite number"),
        ("a\n1\n", "one column"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """What is no table is refused with the line and the reason."""
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=words):
        read_csv(path)


def test_missing_files_and_columns_are_named(tmp_path: Path) -> None:
    """A file or a column that is not there is named, with what is."""
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")

    with pytest.raises(DataError, match="none.csv"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(UnknownNameError, match="columns are a, b") as caught:
        read_csv(path, target="c")
    assert caught.value.known == ("a", "b")


def test_archives_are_read(tmp_path: Path) -> None:
    """An archive gives x and y; integers are classes, other numbers targets."""
    path = tmp_path / "data.npz"
    np.savez(path, x=np.eye(3), y=np.array([2, 0, 1]))
    assert read_npz(path).classes == ("0", "1", "2")
    np.savez(path, x=np.eye(3), y=np.eye(3)[:, :2])
    assert read_npz(path).y.shape == (3, 2)


def test_bad_archives_are_refused(tmp_path: Path) -> None:
    """Objects are never unpickled, and missing or unfit arrays are named."""
    path = tmp_path / "data.npz"
    np.savez(path, x=np.array([{}], dtype=object), y=np.zeros(1))
    with pytest.raises(DataError, match="cannot be read"):
        read_npz(path)
    np.savez(path, x=np.eye(3))
    with pytest.raises(DataError, match="holds x; arrays named x and y"):
        read_npz(path)
    np.savez(path, x=np.full((3, 1), np.nan), y=np.zeros(3))
    with pytest.raises(DataError, match="finite numbers"):
        read_npz(path)
    np.savez(path, x=np.eye(3), y=np.zeros(2))
    with pytest.raises(DataError, match="one target for each sample"):
        read_npz(path)
    np.savez(path, x=np.zeros((0, 3)), y=np.zeros(0))
    with pytest.raises(DataError, match="no samples"):
        read_npz(path)
    path.write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(DataError, match="cannot be read"):
        read_npz(path)


def test_iris_split_is_the_one_of_scikit_learn() -> None:
    """The split of iris is the one that the field gets from scikit-learn, so accuracies can be compared."""
    iris = load_iris()
    for seed in range(5):
        train, test = split_stratified(iris.y, test_size=45, seed=seed)
        parts = train_test_split(np.arange(150), test_size=45, stratify=iris.y, random_state=seed)

        assert train.tolist() == sorted(parts[0].tolist())
        assert test.tolist() == sorted(parts[1].tolist())
