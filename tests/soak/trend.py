"""Whether memory stays flat: the trend of the later half of samples, against a bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

# Fewer samples say nothing of a trend.
FEWEST = 6
# What the later half may grow by, from its first sample to its last, by its trend.  Interpreters and
# allocators settle slowly; 100 bytes that every life leaves show within 20,000 lives, 1 KiB within 2,000.
BOUND = 2 << 20


@dataclass(frozen=True)
class Trend:
    """How memory grows: bytes over the later half of the samples, and what each life takes of that."""

    growth: float
    per_life: float

    @property
    def is_flat(self) -> bool:
        return self.growth <= BOUND


def trend(samples: Sequence[tuple[int, int]]) -> Trend | None:
    """Of (lives so far, bytes); None of too few.

    The slope is the median of those between any two samples (Theil and Sen), which single outliers do not
    move.
    """
    later = samples[len(samples) // 2 :]
    if len(samples) < FEWEST:
        return None
    slopes = [(to - at) / (end - begin) for (begin, at), (end, to) in combinations(later, 2) if end > begin]
    per_life = median(slopes)
    return Trend(per_life * (later[-1][0] - later[0][0]), per_life)
