"""How gapbot answers: conversation, extractive answers, abstention, citations, command line and page."""
