"""`python -m ssl_dynamics`."""

from ssl_dynamics.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
