"""`python -m backtester`: the command line."""

from backtester.cli import main

if __name__ == "__main__":
    main()
