"""Hides what is confidential in texts that are recorded."""

import base64
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

import msgspec

HIDDEN = "***"
_SHORTEST = 3
"""What is shorter keeps no secret, and would be hidden all over a text."""


class Mask:
    """Hides some texts, also as they stand in URIs, in JSON and in base64."""

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
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        return text

    def finds_in(self, text: str) -> bool:
        """Whether something in the text is confidential."""
        return any(form in text for form in self._forms)
