"""Data sets of people: the folder that a user downloaded in, `Scan`s out. docs/datasets.md says where to get them."""

from lookalike.people.datasets.dataset import READERS, Dataset, open_dataset

__all__ = ["READERS", "Dataset", "open_dataset"]
