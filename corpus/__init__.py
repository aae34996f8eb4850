"""What the bot knows: the article, the facts, and how any document becomes passages and sentences."""

from pathlib import Path

SHIPPED_CORPUS = Path(__file__).resolve().parent
"""The corpus that comes with gapbot: `texts/` and `facts/` beside this file."""
