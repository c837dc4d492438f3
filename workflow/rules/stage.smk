"""What all rules share: `use rule stage as ...`, or `compute` for those that compute with torch.

A rule's job is done by the function that it is named after: see visner.jobs.
"""


rule stage:
    log:
        "results/logs/stage.log",  # every rule names its own
    conda:
        "../envs/visner.yaml"
    resources:
        **PLAIN,
    script:
        "../scripts/stage.py"


# And those that compute with torch.
use rule stage as compute with:
    threads: CONFIG.training_threads
    resources:
        **ON_GPU,
