"""An answer that cannot be what is asked for."""

import pytest

from bot.misfit import misfit
from bot.question import read_question
from bot.spans import typed_spans

FUND = "In May 2031 Morvia's health ministry said that it would quickly build a school for 300 nurses."
SHARE = "In 2030, 1,073 Morvian firms used robots, more than in any other country."
THIRD = "Of the firms of Morvia a third used robots in 2030."
DEPUTY = "Le Van An, deputy director of the Lotus Centre, spoke to 40 guests."
BOTH = "Le Van An, deputy director of the Lotus Centre, thanked its director Tran Ba."
AGE = "Morvia lacks 150,000 health workers every year."
PLAN = "By 2030 Morvia's strategy wants 100 new clinics."


@pytest.mark.parametrize(
    ("question", "sentence", "pointed", "expected"),
    [
        ("When will Morvia's school for nurses open?", FUND, "May 2031", True),
        ("When did the health ministry say that it would build a school?", FUND, "May 2031", False),
        ("What percentage of Morvian firms use robots?", SHARE, "1,073", True),
        ("What share of Morvian firms uses robots?", THIRD, "a third", False),
        ("How many Morvian firms used robots?", SHARE, "1,073", False),
        ("Who is the director of the Lotus Centre?", DEPUTY, "Le Van An", True),
        ("Who is the deputy director of the Lotus Centre?", DEPUTY, "Le Van An", False),
        ("Who is the director of the Lotus Centre?", BOTH, "Tran Ba", False),
        ("How old are Morvia's health workers on average?", AGE, "150,000", True),
        ("How old are Morvia's nurses?", "Morvia's firms employ 150,000 nurses on average.", "150,000", True),
        ("How old are Morvia's nurses?", "Half of Morvia's nurses are past the age of 62.", "62", False),
        (
            "What investment took place in Morvia?",
            "Investment in Morvia came to USD 80 million.",
            "USD 80 million",
            False,
        ),
        ("What share of its clinics is digital?", "Morvia wants 30 of its 100 clinics digital.", "30", True),
        (
            "When did Brim open to visitors?",
            "Brim opened, according to a report of 2021, early.",
            "2021",
            True,
        ),
        ("How long is the Lom?", "The Lom is 4,350 km long.", "4,350 km", False),
        ("For how long did the Lom freeze?", "The Lom froze over 40 km.", "40 km", True),
        ("How many clinics does Morvia have today?", PLAN, "100", True),
        ("How many clinics does Morvia have?", PLAN, "100", True),
        ("How many clinics does Morvia have?", "Morvia has 40 clinics and wants 100.", "40", False),
        ("How many clinics does Morvia have today?", "Morvia has 40 clinics and will build 100.", "40", False),
        ("How many clinics does Morvia have today?", "Morvia will build 100 clinics.", "100", True),
        ("How many nurses does the clinic have?", "The clinic that was planned in 2020 has 40 nurses.", "40", False),
        ("What is the birth rate of Morvia?", "Morvia's birth rate is 19 births per 1,000 people.", "19", False),
        ("Who is the founder of Brim?", "Ada Lom, co-founder of Brim, studied physics.", "Ada Lom", False),
        ("What rank did Morvia have in 2022?", "Morvia scored 54.5 points in 2022.", "54.5 points", True),
        ("What rank did Morvia have in 2022?", "Morvia came 6th in 2022.", "6th", False),
        ("How many clinics does Morvia want?", PLAN, "100", False),
    ],
)
def test_what_cannot_be_asked_for(question: str, sentence: str, pointed: str, expected: bool) -> None:
    start = sentence.index(pointed)
    place = (start, start + len(pointed))
    assert misfit(read_question(question), sentence, typed_spans(sentence), place) is expected
