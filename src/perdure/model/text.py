"""Text as it can be stored and sent."""


def readable(text: str) -> str:
    """The text, with what is no Unicode (halves of surrogate pairs) written as escapes.

    Python makes such text of file names and broken input; neither UTF-8 nor JSON has it.
    """
    if text.isascii():
        return text
    return text.encode(errors="backslashreplace").decode()
