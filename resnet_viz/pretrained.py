"""Published weights: none are known yet, so no file is one of them."""


class Pretrained:
    pass


def of_file(path):
    return None


def fetch(reference, progress=None):
    raise NotImplementedError


def classes_and_preprocessing(entry):
    raise NotImplementedError
