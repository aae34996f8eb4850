"""Training of the reader: not needed to use gapbot. See `python -m bot.training --help`."""
