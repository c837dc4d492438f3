"""visner: words grounded in pictures, for named entity recognition. The stages, in the order of the data."""

from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/common.smk"
include: "workflow/rules/stage.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/nouns.smk"
include: "workflow/rules/images.smk"
include: "workflow/rules/embeddings.smk"
include: "workflow/rules/vectors.smk"
include: "workflow/rules/vokens.smk"
include: "workflow/rules/grounding.smk"
include: "workflow/rules/ner.smk"
include: "workflow/rules/evaluation.smk"


localrules:
    all,
    corpora_download,
    embeddings_weights,
    vectors_hub_encoder,
    vectors_flair_import,
    ner_describe,


rule all:
    default_target: True
    input:
        expand("results/studies/{study}/index.md", study=CONFIG.studies),
        expand("results/{experiment}/scores.json", experiment=CONFIG.experiments),
        expand("results/vokens/{matcher}/scores.json", matcher=CONFIG.matchers),
        expand("results/corpora/{corpus}/index.md", corpus=CONFIG.corpora),
