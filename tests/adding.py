"""What tests of added documents share: one to add, the question that it answers, and progress that nobody watches."""

from bot.answer import Question

RAIN = b"The Moc Chau observatory recorded 412 millimetres of rain in August 2031."
RAINED = Question("How much rain did the Moc Chau observatory record in August 2031?")


def silent(stage: str, done: int, total: int) -> None:
    """Take progress and show nothing."""
