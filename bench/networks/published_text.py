"""Networks of the package transformers."""


def rows():
    return ()
