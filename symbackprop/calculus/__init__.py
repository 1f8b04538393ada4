"""The engine: tensors and indices, definitions, programs and the one chain rule."""
