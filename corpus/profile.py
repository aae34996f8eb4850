"""What a corpus says of itself: `gapbot.yaml` beside its documents, with a headline and questions to begin with."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpus.errors import CorpusError

PROFILE = "gapbot.yaml"
"""The file's name, at the top of a corpus folder. It is no document."""

_Line = Annotated[str, Field(min_length=1, max_length=200)]


class Profile(BaseModel):
    """One line that says what the answers are about, and questions to begin with, by topic."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    headline: _Line | None = None
    starters: dict[_Line, list[_Line]] = {}


def read_profile(folder: Path) -> Profile:
    """Read the profile of a corpus folder; without the file, an empty one. Raises CorpusError if it cannot be used."""
    path = folder / PROFILE
    try:
        return Profile.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except FileNotFoundError:
        return Profile()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise CorpusError(f"{path}: {place}: {first['msg']} (it may say headline and starters)") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CorpusError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
