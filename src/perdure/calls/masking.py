"""Hides what is confidential in texts that are recorded."""

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

import msgspec

HIDDEN = "***"
_SHORTEST = 3
"""What is shorter keeps no secret, and would be hidden all over a text."""


class Mask:
    """Hides some texts, in any case, also as they stand in URIs, in JSON and in base64."""

    def __init__(self, texts: Iterable[str]) -> None:
        forms: set[str] = set()
        for text in texts:
            if len(text) >= _SHORTEST:
                forms.update(
                    (
                        text,
                        quote(text, safe=""),
                        quote(text),
                        quote_plus(text),
                        msgspec.json.encode(text).decode()[1:-1],
                        base64.b64encode(text.encode()).decode(),
                    )
                )
        self._forms = sorted(forms, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text without what is confidential."""
        found = [re.escape(form) for form in self._found(text)]
        return re.sub("|".join(found), HIDDEN, text, flags=re.IGNORECASE) if found else text

    def finds_in(self, text: str) -> bool:
        """Whether something in the text is confidential."""
        return any(self._found(text))

    def _found(self, text: str) -> Iterator[str]:
        low = text.lower()
        return (form for form in self._forms if form in text or form.lower() in low)
