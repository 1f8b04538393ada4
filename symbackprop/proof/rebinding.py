"""A person's functions, unchanged, in a world where `np` is something else.

Functions are copied with globals of their own, and so are the helpers, classes and objects that they reach; neither
the files nor the modules of the person are touched.
"""

from __future__ import annotations

import builtins
import copy
import functools
import random
import sys
import sysconfig
from abc import ABCMeta
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dis import get_instructions
from importlib import import_module
from importlib.util import resolve_name
from linecache import getline
from pathlib import Path as FilePath
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

import numpy as np

_PACKAGE = FilePath(__file__).resolve().parent.parent
_FOREIGN = tuple(
    str(FilePath(folder).resolve())
    for folder in (*(sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib")), str(_PACKAGE))
)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Which code is the person's: what is judged, with its package, and all that is not installed."""

    packages: frozenset[str]

    @classmethod
    def of(cls, *functions: object) -> Ownership:
        """The packages that some functions come from."""
        modules = [str(getattr(each, "__module__", "") or type(each).__module__) for each in functions]
        return cls(frozenset(module.partition(".")[0] for module in modules) - {_PACKAGE.name})

    def owns(self, file: str, module: str) -> bool:
        """Whether the code of a file is the person's."""
        if module.partition(".")[0] in self.packages:
            return True
        if file.startswith("<"):  # typed in, or made at run time as a named tuple is
            return not file.startswith(("<frozen", "<__array_function__"))
        path = FilePath(file).resolve()
        installed = {"site-packages", "dist-packages"} & set(path.parts)
        return not installed and not str(path).startswith(_FOREIGN)

    def say_line(self) -> str:
        """The line of the person's code that is running, with its place."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not self.owns(frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))):
            frame = frame.f_back
        if frame is None:
            return "the code"
        file, line = frame.f_code.co_filename, frame.f_lineno
        code = getline(file, line).strip()
        return f"{FilePath(file).name}:{line}" + (f" (`{code}`)" if code else "")

    def owns_function(self, function: FunctionType) -> bool:
        """Whether the person wrote a function."""
        return self.owns(function.__code__.co_filename, str(function.__globals__.get("__name__", "")))


_CONTAINERS = (OrderedDict, defaultdict, Counter, deque)


class Rebinder:
    """Copies of functions, classes and objects that see other modules in the place of some."""

    def __init__(
        self,
        ownership: Ownership,
        modules: Mapping[str, Any],
        settle: Callable[[Any], Any],
        forbidden: Mapping[str, Any],
    ) -> None:
        self._ownership, self._modules, self._settle = ownership, dict(modules), settle
        self._memo: dict[int, tuple[Any, Any]] = {}  # what was copied is kept, so that no id is used twice
        self.arrays: dict[str, tuple[int, ...]] = {}  # the shapes of arrays that stand outside, by their names there
        self.handles_errors = False  # whether a function has handlers of its own
        self.asks_identity = False  # whether one asks by `is` for more than None
        self.matches_classes = False  # whether one has a `match` with the name of a class
        self._worlds: dict[int, tuple[dict[str, Any], dict[str, Any], set[str]]] = {}
        self._builtins = {**vars(builtins), **forbidden, "__import__": self._import, "print": _say_nothing}

    def __call__(self, value: Any) -> Any:
        """The value as the traced code sees it."""
        known = self._memo.get(id(value))
        if known is None:
            made = self._convert(value)
            known = self._memo.setdefault(id(value), (value, made))
        return known[1]

    def _import(
        self,
        name: str,
        names: Mapping[str, Any] | None = None,
        _: object = None,
        wanted: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> Any:
        """`import` inside a function."""
        full = resolve_name("." * level + name, str((names or {}).get("__package__", ""))) if level else name
        module = import_module(full)
        return self(module if wanted else sys.modules[full.partition(".")[0]])

    def _convert(self, value: Any) -> Any:
        if isinstance(value, ModuleType):
            return self._module(value)
        if isinstance(value, FunctionType):
            if self._ownership.owns_function(value):
                return self._function(value)
            return self._library(value)
        if isinstance(value, MethodType):
            return MethodType(self(value.__func__), self(value.__self__))
        if isinstance(value, staticmethod | classmethod):
            return type(value)(self(value.__func__))
        if isinstance(value, property):
            return property(*(each and self(each) for each in (value.fget, value.fset, value.fdel)))
        if isinstance(value, functools.partial):
            return functools.partial(self(value.func), *map(self, value.args), **self._mapping(value.keywords))
        if isinstance(value, type):
            if value in (np.ndarray, np.matrix):
                return getattr(self._modules["numpy"], value.__name__)
            if issubclass(value, random.Random | np.random.RandomState):
                return self._library(value)
            return self._class(value) if self._is_own_class(value) else value
        if isinstance(value, np.ufunc | BuiltinFunctionType) or type(value).__module__.startswith("numpy"):
            return self._array(value) if isinstance(value, np.ndarray) else self._library(value)
        if type(value) in (list, tuple, set):
            return type(value)(map(self, value))
        if type(value) is dict:
            return self._mapping(value)
        if type(value) is SimpleNamespace:
            return SimpleNamespace(**self._mapping(vars(value)))
        if isinstance(value, UserDict | UserList):
            made = copy.copy(value)
            made.data = self(value.data)
            return made
        own = self._is_own_class(type(value))
        if isinstance(value, dict | list | set | deque) and (own or type(value) in _CONTAINERS):
            return self._container(value, self(type(value)) if own else type(value))
        return self._instance(value) if self._is_own_class(type(value)) else value

    def _container(self, value: Any, kind: Any) -> Any:
        """A collection of one of Python's kinds, or of a kind that the person derived from one, with its entries."""
        made: Any = deque(maxlen=value.maxlen) if kind is deque else kind.__new__(kind)
        self._memo[id(value)] = (value, made)
        if isinstance(value, defaultdict):
            made.default_factory = self(value.default_factory)
        if isinstance(value, dict):
            base = OrderedDict if isinstance(value, OrderedDict) else dict
            for key, each in value.items():
                base.__setitem__(made, key, self(each))
        elif isinstance(value, set):
            set.update(made, map(self, value))
        else:
            (list if isinstance(value, list) else deque).extend(made, map(self, value))
        for name, each in getattr(value, "__dict__", {}).items():
            object.__setattr__(made, name, self._named(name, each))
        return made

    def _array(self, value: np.ndarray[Any, Any]) -> Any:
        """A copy, which may be written to if the array may."""
        made = copy.copy(value)
        made.flags.writeable = value.flags.writeable
        return self._settle(made)

    def _named(self, name: str, value: Any) -> Any:
        """The value of a name outside of the functions."""
        if isinstance(value, np.ndarray):
            self.arrays[name] = value.shape
        return self(value)

    def _mapping(self, value: Mapping[Any, Any]) -> dict[Any, Any]:
        return {key: self(each) for key, each in value.items()}

    def _module(self, module: ModuleType) -> Any:
        if module.__name__ in self._modules:
            return self._modules[module.__name__]
        if module.__name__.startswith("numpy."):
            return functools.reduce(getattr, module.__name__.split(".")[1:], self._modules["numpy"])
        file = getattr(module, "__file__", None)
        if not file or not self._ownership.owns(file, module.__name__):
            within = any(name.startswith(f"{module.__name__}.") for name in self._modules)
            return _Package(module, self) if within else module
        made = ModuleType(module.__name__)
        self._memo[id(module)] = (module, made)
        vars(made).update(self._mapping({k: v for k, v in vars(module).items() if not k.startswith("__")}))
        return made

    def _library(self, value: Any) -> Any:
        """A function of a replaced module that was imported by its own name."""
        if isinstance(value, np.vectorize):
            return self._modules["numpy"].vectorize
        name = getattr(value, "__name__", "")
        for module in ("numpy", "math", "random", "numpy.random", "numpy.linalg", "scipy.special"):
            replaced = self._modules.get(module)
            if replaced is None or module not in sys.modules:
                continue
            if name and getattr(sys.modules[module], name, None) is value:
                return getattr(replaced, name)
        chance = np.random.Generator | np.random.RandomState
        if isinstance(value, chance) or isinstance(getattr(value, "__self__", None), chance):
            return self._modules["a generator"]
        if str(getattr(value, "__module__", "")).startswith("numpy.") and callable(value) and name:
            return self._modules["numpy"].wrap(value)
        return value

    def _function(self, function: FunctionType) -> FunctionType:
        world, done = self._world(function.__globals__)
        cells = function.__closure__
        made = FunctionType(
            function.__code__,
            world,
            function.__name__,
            None,
            None if cells is None else tuple(CellType() for _ in cells),
        )
        self._memo[id(function)] = (function, made)
        for code in _codes(function.__code__):
            self.handles_errors |= _has_handler(code)
            self.asks_identity |= _asks_identity(code)
            self.matches_classes |= any(each.opname == "MATCH_CLASS" for each in get_instructions(code))
        defaults, code = function.__defaults__, function.__code__
        if defaults is not None:
            names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
            made.__defaults__ = tuple(map(self._named, names, defaults))
        if function.__kwdefaults__ is not None:
            made.__kwdefaults__ = {name: self._named(name, value) for name, value in function.__kwdefaults__.items()}
        made.__dict__.update({key: self(value) for key, value in vars(function).items() if key != "__wrapped__"})
        made.__qualname__ = function.__qualname__
        for name, old, new in zip(function.__code__.co_freevars, cells or (), made.__closure__ or (), strict=True):
            try:
                new.cell_contents = self._named(name, old.cell_contents)
            except ValueError:  # a cell that is still empty
                continue
        for name in _names(function.__code__):
            if name in function.__globals__ and name not in done:
                done.add(name)  # once: the code may assign to it while it runs
                world[name] = self._named(name, function.__globals__[name])
        return made

    def _world(self, names: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """The globals that the copies of one module share, and which of them were copied."""
        known = self._worlds.get(id(names))
        if known is None:
            known = self._worlds[id(names)] = (names, {**names, "__builtins__": self._builtins}, set())
        return known[1], known[2]

    def _is_own_class(self, value: type) -> bool:
        """Whether a class was written by the person, in plain Python."""
        if type(value) not in (type, ABCMeta) or issubclass(value, BaseException):
            return False
        functions = [f for f in vars(value).values() if isinstance(f, FunctionType)]
        if functions:
            return any(map(self._ownership.owns_function, functions))
        file = getattr(sys.modules.get(value.__module__), "__file__", None) or "<typed in>"
        return value.__module__ != "builtins" and self._ownership.owns(file, value.__module__)

    def _class(self, value: type) -> type:
        members = {
            name: member
            for name, member in vars(value).items()
            if name not in ("__dict__", "__weakref__") and name not in _slots(value)
        }
        made = type(value)(value.__name__, tuple(map(self, value.__bases__)), {"__module__": value.__module__})
        self._memo[id(value)] = (value, made)
        for name, member in members.items():
            if name in ("__module__", "__slots__", "__doc__"):
                continue
            setattr(made, name, self(member))
        return made

    def _instance(self, value: Any) -> Any:
        kind = self(type(value))
        if kind.__new__ is not object.__new__:  # such as a named tuple, which is made of its entries
            return kind.__new__(kind, *map(self, value)) if isinstance(value, tuple) else value
        made = object.__new__(kind)
        self._memo[id(value)] = (value, made)
        for name in (*getattr(value, "__dict__", ()), *_slots(type(value))):
            if hasattr(value, name):
                object.__setattr__(made, name, self._named(name, getattr(value, name)))
        return made


class _Package:
    """A package of which some modules are replaced, as `scipy` whose `special` is."""

    def __init__(self, module: ModuleType, rebind: Rebinder) -> None:
        self._module, self._rebind = module, rebind

    def __getattr__(self, name: str) -> Any:
        return self._rebind(getattr(self._module, name))


def _slots(value: type) -> tuple[str, ...]:
    slots = vars(value).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _names(code: CodeType) -> Iterator[str]:
    """The global names that a function and the functions inside it read or assign to."""
    for each in _codes(code):
        for instruction in get_instructions(each):
            if "GLOBAL" in instruction.opname or instruction.opname == "LOAD_NAME":
                yield str(instruction.argval)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function and those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _has_handler(code: CodeType) -> bool:
    """Whether a function has an `except`, or a `with` of anything but `np.errstate`, which lets all errors through."""
    found = Counter(instruction.opname for instruction in get_instructions(code))
    silent = sum(instruction.argval == "errstate" for instruction in get_instructions(code))
    return found["PUSH_EXC_INFO"] > found["WITH_EXCEPT_START"] or found["WITH_EXCEPT_START"] > silent


def _asks_identity(code: CodeType) -> bool:
    """Whether a function asks by `is` for more than None, which `match` does of True and False too."""
    steps = list(get_instructions(code))
    pairs = zip(steps, steps[1:], strict=False)
    return any(step.opname == "IS_OP" and before.argrepr != "None" for before, step in pairs)


def _say_nothing(*_: object, **__: object) -> None:
    """`print` in traced code, which runs many times."""
