"""Sources that differ, as the corpus records it."""

from bot.chain import Chain
from bot.conflicts import difference, shown_value


def test_every_recorded_difference_is_shown_beside_its_own_figure(shipped_chain: Chain) -> None:
    """Whatever form the unit has, a short answer that gives a statement's figure brings up what disagrees with it."""
    catalogue, shown, silent = shipped_chain.index.catalogue, 0, []
    for document_id in catalogue.document_ids():
        document = catalogue.document(document_id)
        assert document
        for statement in document.statements:
            recorded = [catalogue.statement(i) for i in statement.disagrees_with]
            # Figures of other measures disagree in words alone.
            measured = [s for _, s in filter(None, recorded) if s.value and s.unit == statement.unit]
            if statement.value and measured:
                found = difference(catalogue, document, statement.start, statement.end, shown_value(statement))
                shown += found is not None
                silent += [] if found else [statement.id]
    assert silent == []
    assert shown > 20
