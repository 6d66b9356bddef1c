"""Making the book: execute and normalise notebooks, generate pages, build and pack the HTML.

Command line: ``python -m ssl_dynamics.press refresh|pages|guard``. The Sphinx side lives in
``ssl_dynamics.press.extension`` and is loaded by ``_config.yml``.
"""
