"""What is warned of, each sentence once, and kept for a report."""

import warnings


class RunsElsewhere(UserWarning):
    """Something does not run on the machine, or means something else there."""


class Said:

    def __init__(self):
        self._sentences = {}

    def say(self, sentence):
        if sentence not in self._sentences:
            self._sentences[sentence] = True
            warnings.warn(sentence, RunsElsewhere, stacklevel=2)

    def say_draws(self, name):
        self.say(f"{name}: dropout and other random numbers are the machine's own: functions of torch.initial_seed(), run, "
                 "operator and element, not the next ones of PyTorch's generator")

    def sentences(self):
        return list(self._sentences)
