"""Layers and losses as formula text, and the builder that joins them into a program."""

from symbackprop.networks.blocks import transformer_block as transformer_block
from symbackprop.networks.builder import Architecture as Architecture
from symbackprop.networks.builder import Concatenated as Concatenated
from symbackprop.networks.builder import Dense as Dense
from symbackprop.networks.builder import Layer as Layer
from symbackprop.networks.builder import Piece as Piece
from symbackprop.networks.builder import Residual as Residual
from symbackprop.networks.builder import layer as layer
from symbackprop.networks.builder import mlp_layers as mlp_layers
from symbackprop.networks.builder import write_network as write_network
from symbackprop.networks.catalogue import LAYERS as LAYERS
from symbackprop.networks.fragments import Fragment as Fragment
from symbackprop.networks.fragments import Setting as Setting
from symbackprop.networks.losses import LOSSES as LOSSES
from symbackprop.networks.losses import loss as loss
from symbackprop.networks.objectives import Loss as Loss
from symbackprop.networks.penalties import PENALTIES as PENALTIES
from symbackprop.networks.stacking import Parameter as Parameter
