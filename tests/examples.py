"""How many examples a property draws: so many in a usual run, and as many times more as the profile says.

https://hypothesis.readthedocs.io/en/latest/reference/api.html#hypothesis.settings
"""

from hypothesis import HealthCheck, settings


def examples(usual: int) -> settings:
    """The settings of a property that draws `usual` examples where the profile says nothing.

    How long one takes says how busy the machine is, and nothing of the property.
    """
    return settings(max_examples=how_many(usual), deadline=None, suppress_health_check=list(HealthCheck))


def how_many(usual: int) -> int:
    """So many where the profile says nothing: for what is drawn by a seed of its own."""
    drawn, default = settings().max_examples, settings.get_profile("default").max_examples
    return max(1, usual * drawn // default)
