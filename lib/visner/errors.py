"""The one exception that is shown to a user as a single line."""


class VisnerError(Exception):
    """What is wrong, where (`file:line` or the key), and what to do about it; printed without a traceback."""
