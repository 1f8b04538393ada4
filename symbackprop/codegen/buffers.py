"""Which arrays of a kernel share memory: an array is free once nothing reads it any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine


@dataclass(frozen=True, slots=True)
class Buffer:
    """An array that a kernel writes into: its axes as they lie in memory, and its type."""

    name: str
    axes: tuple[Affine, ...]
    dtype: str

    @property
    def kind(self) -> tuple[str, tuple[str, ...]]:
        """What two arrays have in common that fit into the same memory."""
        return self.dtype, tuple(sorted(map(str, self.axes)))


@dataclass(frozen=True, slots=True)
class Access:
    """What a statement writes and reads, by name; `overwrites` are what it may write over while it reads them."""

    writes: str
    reads: frozenset[str]
    overwrites: tuple[str, ...] = ()


def share_memory(accesses: Sequence[Access], buffers: Mapping[str, Buffer]) -> dict[str, int]:
    """The number of the memory of each buffer, for statements in order.

    >>> one, two, three = (Buffer(name, (Affine.of("N"),), "float") for name in "abc")
    >>> steps = [Access("a", frozenset()), Access("b", frozenset("a")), Access("c", frozenset("b"), ("b",))]
    >>> share_memory(steps, {"a": one, "b": two, "c": three})
    {'a': 0, 'b': 1, 'c': 1}
    """
    last = {name: place for place, access in enumerate(accesses) for name in (*access.reads, access.writes)}
    memory: dict[str, int] = {}
    free: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    count = 0
    for place, access in enumerate(accesses):
        dying = [n for n in sorted(access.reads) if last[n] == place and n in memory]
        if access.writes in buffers and access.writes not in memory:
            kind = buffers[access.writes].kind
            over = [n for n in access.overwrites if n in dying and buffers[n].kind == kind]
            if over:
                memory[access.writes] = memory[over[0]]
                dying.remove(over[0])
            elif free.get(kind):
                memory[access.writes] = free[kind].pop()
            else:
                memory[access.writes], count = count, count + 1
        for name in dying:
            free.setdefault(buffers[name].kind, []).append(memory[name])
        if last.get(access.writes) == place and access.writes in memory:  # nothing reads it
            free.setdefault(buffers[access.writes].kind, []).append(memory[access.writes])
    return memory


def find_merged(accesses: Sequence[Access], memory: Mapping[str, int], kept: Collection[str] = ()) -> dict[str, str]:
    """For what the next part of a formula is written over: the name of what is there in the end; `kept` have their own.

    >>> find_merged([Access("b", frozenset("a"), ("a",))], {"a": 0, "b": 0})
    {'a': 'b'}
    """
    found: dict[str, str] = {}
    for access in reversed(accesses):
        for name in access.overwrites:
            if name not in kept and name in memory and memory[name] == memory.get(access.writes):
                found[name] = found.get(access.writes, access.writes)
    return found
