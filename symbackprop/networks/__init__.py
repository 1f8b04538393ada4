"""Layers and losses as formula text, and the builder that joins them into a program."""

from symbackprop.networks.builder import Architecture as Architecture
from symbackprop.networks.builder import Dense as Dense
from symbackprop.networks.builder import Parameter as Parameter
from symbackprop.networks.builder import mlp_layers as mlp_layers
from symbackprop.networks.builder import write_network as write_network
