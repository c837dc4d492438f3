"""Every rule's script: it calls the function that the rule is named after (see visner.jobs)."""

from pathlib import Path

from visner import jobs

if __name__ == "__main__":  # not in a process that a stage starts
    jobs.run(snakemake, root=Path(__file__).parents[2])  # noqa: F821 - Snakemake defines it
