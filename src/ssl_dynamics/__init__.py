"""Why self-supervised learning learns and does not collapse: closed forms and their experiments."""

__version__ = "0.1.0"
