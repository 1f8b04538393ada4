"""The `symbackprop` command."""

from symbackprop.cli.commands import main as main
