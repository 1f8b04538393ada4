"""What users hold: thin, frozen values around those of the engine, each method calling one reader of them."""
