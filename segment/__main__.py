"""``python -m segment`` is the same as the ``segment`` command."""

from segment.cli.main import run

if __name__ == "__main__":
    run()
