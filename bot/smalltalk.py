"""Greetings, thanks and "what can you do?": short friendly replies that are not answers from the corpus."""

import re

_POLITE = r"[\s,!.?:;)(👋🙂😊-]*"
_REPLIES = [
    (
        re.compile(rf"^(?:hi|hello|hey|hiya|howdy|greetings|yo|xin chào|chào(?: bạn)?|good (?:morning|afternoon|evening|day))(?: (?:there|all|bot|gapbot|everyone))?(?:[\s,]+how are you(?: today)?(?: doing)?)?{_POLITE}$", re.I),
        "Hello! Ask me about the sources I hold, and I answer in their own sentences, each with its citation.",
    ),
    (
        re.compile(rf"^(?:how are you(?: doing)?(?: today)?|how's it going|what's up|sup){_POLITE}$", re.I),
        "I am well, thank you, and ready for a question about the sources I hold.",
    ),
    (
        re.compile(rf"^(?:(?:ok(?:ay)?|great|perfect|cool|nice)[\s,!.]*)?(?:many )?(?:thanks|thank you|thx|ty|cheers|cảm ơn(?: bạn)?)(?: (?:a lot|so much|very much|again|bot|gapbot))?(?:[\s,.!–-]+(?:that|this|it)(?:'s| is| was)(?: (?:very|really|so|all))?(?: (?:great|good|helpful|useful|perfect|nice|fine|clear|interesting|all))?)?{_POLITE}$", re.I),
        "You are welcome. Ask on whenever you like.",
    ),
    (
        re.compile(rf"^(?:bye|goodbye|see (?:you|ya)(?: later)?|good night|ciao|tạm biệt){_POLITE}$", re.I),
        "Goodbye!",
    ),
    (
        re.compile(rf"^(?:ok(?:ay)?|great|perfect|cool|nice|awesome|good|well done|got it|i see|understood){_POLITE}$", re.I),
        "Good. Is there anything else you would like to know?",
    ),
    (
        re.compile(rf"^(?:help(?: me)?|what (?:can|do) you (?:do|know)(?: for me)?|what can i ask(?: you)?|who are you|what are you|how (?:do|does) (?:you|this|it) work|what is gapbot|what (?:questions|topics) can i ask(?: you)?|what is this){_POLITE}$", re.I),
        "I am gapbot. I answer questions from a fixed set of sources, in their own sentences, and cite each one, so that "
        "you can check it. When the sources do not hold the answer, I say so.",
    ),
]  # fmt: skip


def small_talk(text: str) -> str | None:
    """Return the reply to small talk, or None for anything that is a question to the corpus.

    >>> small_talk("thanks!")
    'You are welcome. Ask on whenever you like.'
    """
    for pattern, reply in _REPLIES:
        if pattern.match(text.strip()):
            return reply
    return None
