"""The formula language: text to trees, trees to text, trees to programs."""
