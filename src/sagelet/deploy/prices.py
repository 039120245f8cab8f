"""What an instance costs, roughly: a small dated table. Every figure from it is an estimate.

On-demand prices of SageMaker instances in us-east-1, in US dollars an hour, noted in 2025 from
https://aws.amazon.com/sagemaker/pricing/. Prices change, and other regions cost more or less.
"""

from __future__ import annotations

from dataclasses import dataclass

TABLE_YEAR = 2025
TABLE_REGION = "us-east-1"

_PER_HOUR = {
    "ml.t2.medium": 0.056,
    "ml.t2.large": 0.111,
    "ml.t2.xlarge": 0.223,
    "ml.t2.2xlarge": 0.445,
    "ml.m4.xlarge": 0.24,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c5.large": 0.102,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.4xlarge": 0.816,
    "ml.g4dn.xlarge": 0.736,
    "ml.g4dn.2xlarge": 0.94,
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
    "ml.p3.2xlarge": 3.825,
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate of a running cost, in US dollars an hour."""

    dollars_per_hour: float
    region: str

    def sentence(self) -> str:
        """Say the figure, that it is an estimate, and where it comes from."""
        month = self.dollars_per_hour * 24 * 30
        source = f"{TABLE_REGION} on-demand price of {TABLE_YEAR}"
        elsewhere = "" if self.region == TABLE_REGION else f"; {self.region} differs"
        return (
            f"about ${self.dollars_per_hour:.2f} an hour, ${month:.0f} for 30 days "
            f"(estimate, {source}{elsewhere})"
        )


def estimate(instance_type: str, count: int, *, region: str) -> Estimate | None:
    """Return what instances cost while they run, or None where the table does not know them."""
    per_hour = _PER_HOUR.get(instance_type)
    return None if per_hour is None else Estimate(per_hour * count, region)
