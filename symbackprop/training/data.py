"""Data sets: tables of numbers with targets, read from files or shipped with the package, and their preparation."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import ArgumentError, DataError, UnknownNameError

Array = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, slots=True)
class DataSet:
    """Samples `x[N, D]` with targets `y`: classes counted from 0 where `classes` names them, else numbers."""

    x: Array
    y: npt.NDArray[Any]
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.x) == 0:
            raise DataError("the data has no samples; give at least one row.")
        if len(self.x) != len(self.y):
            raise DataError(f"x has {len(self.x)} samples and y has {len(self.y)}; give one target for each sample.")

    def take(self, rows: Integers) -> DataSet:
        """Return the data set of some of the samples."""
        return DataSet(self.x[rows], self.y[rows], self.features, self.classes)

    def one_hot(self, codes: tuple[float, float] = (0, 1)) -> Array:
        """Return the targets as rows with a single 1, `y[n,k] = 1` where sample n is of class k.

        `codes` are what stands for the other classes and what for the own one.
        """
        other, own = codes
        return other + (own - other) * encode_one_hot(self.y, len(self.classes))


def load_iris() -> DataSet:
    """Return Fisher's 150 irises of three species, which ship with the package.

    Source and licence stand in the first lines of iris.csv: Fisher 1936, UCI, CC BY 4.0.

    >>> iris = load_iris()
    >>> iris.x.shape, iris.classes
    ((150, 4), ('setosa', 'versicolor', 'virginica'))
    """
    text = resources.files("symbackprop.training").joinpath("iris.csv").read_text(encoding="utf-8")
    return read_table(text.splitlines(), "iris.csv", None)


def read_csv(path: str | Path, target: str | None = None) -> DataSet:
    """Read a table with a header line; `target` names the column of targets, the last one by default.

    Lines that start with `#` are comments. Targets that are not all numbers are classes, numbered in sorted order.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a text file ({error}); give a CSV file in UTF-8.") from error
    return read_table(text.splitlines(), str(path), target)


def read_table(lines: Iterable[str], source: str, target: str | None) -> DataSet:
    """Read comma-separated lines with a header; `source` is how messages call them.

    >>> table = read_table(["a,b,kind", "1,2,cat", "3,4,ant"], "lines", None)
    >>> table.x.tolist(), table.y.tolist(), table.classes
    ([[1.0, 2.0], [3.0, 4.0]], [1, 0], ('ant', 'cat'))
    """
    numbered = [
        (number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    rows = [[cell.strip() for cell in row] for row in csv.reader(line for _, line in numbered)]
    if len(rows) < 2:
        raise DataError(f"{source}: no samples found; a table needs a header line and at least one row.")
    header = rows[0]
    if all(is_number(cell) for cell in header):
        raise DataError(f"{source}: the first line holds only numbers; a table needs a header line with column names.")
    column = len(header) - 1
    if target is not None:
        if target not in header:
            raise UnknownNameError(
                f"{source}: no column {target!r}; the columns are {', '.join(header)}.",
                name=target,
                known=tuple(header),
            )
        column = header.index(target)
    if len(header) < 2:
        raise DataError(f"{source}: only one column; a table needs at least one feature beside its target.")
    for (number, _), row in zip(numbered, rows, strict=True):
        if len(row) != len(header):
            raise DataError(f"{source}, line {number}: {len(row)} cells where the header has {len(header)}.")
    features = [[cell for place, cell in enumerate(row) if place != column] for row in rows[1:]]
    for (number, _), cells in zip(numbered[1:], features, strict=True):
        for cell in cells:
            if not is_number(cell):
                raise DataError(f"{source}, line {number}: {cell!r} is not a finite number; features are numbers.")
    x = np.array([[float(cell) for cell in cells] for cells in features])
    names = tuple(name for place, name in enumerate(header) if place != column)
    targets = [row[column] for row in rows[1:]]
    if all(is_number(cell) for cell in targets):
        return DataSet(x, np.array([float(cell) for cell in targets]), names)
    classes = tuple(sorted(set(targets)))
    return DataSet(x, np.array([classes.index(cell) for cell in targets]), names, classes)


def is_number(cell: str) -> bool:
    """Say whether a cell of a table is a finite number."""
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def read_npz(path: str | Path) -> DataSet:
    """Read the arrays `x` and `y` of a NumPy archive; nothing in it is unpickled.

    Integer targets `y[N]` are classes 0, 1, ...; other targets are numbers.
    """
    arrays = read_arrays(path)
    if not {"x", "y"} <= arrays.keys():
        raise DataError(f"{path}: holds {', '.join(sorted(arrays)) or 'nothing'}; arrays named x and y are expected.")
    x, y = arrays["x"], arrays["y"]
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.number) or not np.isfinite(x).all():
        raise DataError(f"{path}: x has shape {x.shape} and dtype {x.dtype}; give finite numbers x[N, D].")
    names = tuple(f"x{place}" for place in range(1, x.shape[1] + 1))
    if np.issubdtype(y.dtype, np.integer) and y.ndim == 1:
        if y.size and y.min() < 0:
            raise DataError(f"{path}: y holds the class {y.min()}; classes are numbered 0, 1, ...")
        classes = tuple(str(label) for label in range(int(y.max(initial=0)) + 1))
        return DataSet(x.astype(np.float64), y.astype(np.intp), names, classes)
    if not np.issubdtype(y.dtype, np.number) or not np.isfinite(y).all():
        raise DataError(f"{path}: y has dtype {y.dtype}; give finite numbers, or integers for classes.")
    return DataSet(x.astype(np.float64), y.astype(np.float64), names)


def read_arrays(path: str | Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a NumPy archive by name; one that would need unpickling is refused."""
    try:
        # Opened here, because numpy.load leaves the file of a broken archive open.
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as a NumPy archive ({error}); write it by numpy.savez.") from error


def encode_one_hot(labels: npt.ArrayLike, classes: int) -> Array:
    """Return `y[n,k] = 1` where `labels[n] = k`, else 0; labels are counted from 0.

    >>> encode_one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    numbers = np.asarray(labels)
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
        raise DataError(f"labels have shape {numbers.shape} and dtype {numbers.dtype}; give integers, one a sample.")
    if numbers.size and (numbers.min() < 0 or numbers.max() >= classes):
        raise DataError(f"labels run from {numbers.min()} to {numbers.max()}; they must lie in 0..{classes - 1}.")
    rows: Array = np.eye(classes)[numbers]
    return rows


@dataclass(frozen=True, eq=False, slots=True)
class Standardisation:
    """The map `(x - mean) / scale` of each feature."""

    mean: Array
    scale: Array

    def apply(self, x: npt.ArrayLike) -> Array:
        """Return the standardised samples."""
        values = np.asarray(x, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.mean):
            raise DataError(f"x has shape {values.shape}; give samples with {len(self.mean)} features each.")
        result: Array = (values - self.mean) / self.scale
        return result


def fit_standardisation(x: npt.ArrayLike) -> Standardisation:
    """Return the map that gives each feature of the training samples mean 0 and variance 1 (divisor N).

    A feature that does not vary keeps the scale 1, so it becomes 0.

    >>> fit_standardisation([[1.0, 5.0], [3.0, 5.0]]).apply([[1.0, 5.0]]).tolist()
    [[-1.0, 0.0]]
    """
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 2 or len(values) == 0:
        raise DataError(f"x has shape {values.shape}; give at least one sample, as x[N, D].")
    scale = values.std(axis=0)
    return Standardisation(values.mean(axis=0), np.where(scale > 0, scale, 1.0))


def split_stratified(labels: Sequence[int] | npt.NDArray[Any], test_size: int, seed: int) -> tuple[Integers, Integers]:
    """Return the rows of a training part and of a test part that hold the classes in the same proportions.

    Class k gives `test_size * N_k / N` samples to the test part, rounded down; what is left to fill goes to the classes
    with the largest remainders, the smaller label first. Both parts are in the order of the data. Where the classes
    divide evenly the parts are those of scikit-learn's `train_test_split(stratify=labels, random_state=seed)`.

    >>> train, test = split_stratified([0, 0, 1, 1], test_size=2, seed=0)
    >>> len(train), len(test)
    (2, 2)
    """
    numbers = np.asarray(labels)
    total = len(numbers)
    if not 0 < test_size < total:
        raise ArgumentError(f"test_size is {test_size}; with {total} samples it must lie between 1 and {total - 1}.")
    values, counts = np.unique(numbers, return_counts=True)
    shares = [divmod(test_size * int(count), total) for count in counts]
    sizes = [whole for whole, _ in shares]
    largest = sorted(range(len(values)), key=lambda place: (-shares[place][1], place))
    for place in largest[: test_size - sum(sizes)]:
        sizes[place] += 1
    # The frozen stream of RandomState, drawn as scikit-learn draws it, so that results can be compared with others'.
    generator = np.random.RandomState(seed)
    train: list[int] = []
    test: list[int] = []
    for value, size in zip(values, sizes, strict=True):
        rows = np.flatnonzero(numbers == value)
        shuffled = rows[generator.permutation(len(rows))]
        train += shuffled[: len(rows) - size].tolist()
        test += shuffled[len(rows) - size :].tolist()
    return np.sort(np.asarray(train, dtype=np.intp)), np.sort(np.asarray(test, dtype=np.intp))
