"""Runs the command line: `python -m server`."""

import importlib
import signal
import sys

if __name__ == "__main__":
    # Loading takes a moment. Ctrl-C meanwhile has nothing to stop, so it ends the process without further ado.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    importlib.import_module("server.cli").main(sys.argv[1:])
