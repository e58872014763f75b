"""What is told of decisions: the log, the metrics, the last decisions by id, health, and the pause.

Start reading at facade.py.
"""

from botsieve.journal.facade import Journal
from botsieve.journal.metrics import SubjectFigures
from botsieve.journal.options import JournalOptions

__all__ = ["Journal", "JournalOptions", "SubjectFigures"]
