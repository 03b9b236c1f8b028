"""Runs the checks of a client and prints one line for each: "pass NAME" or "fail NAME: why"."""

import os
import traceback

URL = os.environ["APEX_URL"]
KEY = os.environ["APEX_KEY"]
MODEL = os.environ["APEX_MODEL"]
EMBEDDING_MODEL = os.environ["APEX_EMBEDDING_MODEL"]

# A PNG of one pixel, and what the model says when it saw that picture.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SEEN = "I see 1 image (image/png, 70 bytes)"

_checks = []


def check(function):
    """Marks a function as a check."""
    _checks.append(function)
    return function


def fails(expected, call):
    """Expects a call to raise an error of a class, and returns it."""
    try:
        result = call()
    except expected as error:
        return error
    raise AssertionError(f"it did not fail but gave {result!r}")


def run():
    """Runs the checks one after the other."""
    for function in _checks:
        name = function.__name__
        try:
            function()
        except Exception:
            why = " | ".join(line.strip() for line in traceback.format_exc().splitlines())
            print(f"fail {name}: {why}", flush=True)
        else:
            print(f"pass {name}", flush=True)
