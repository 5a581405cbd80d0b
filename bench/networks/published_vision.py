"""Networks of the package torchvision."""


def rows():
    return ()
