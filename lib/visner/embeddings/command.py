"""Turn pictures into vectors with a torchvision backbone.

`weights` makes the one file of weights that all else reads: torchvision's by name (the only step that needs a
network), from a file, or random ones. `embed` gives a shard's pictures their vectors: each distinct picture is
embedded once, ever, and kept in the store; a job that is killed goes on where it was.

    visner embeddings weights --recipe config.yaml:embeddings.densenet121 \\
        --output resources/weights/densenet121.safetensors
    visner embeddings embed --recipe config.yaml:embeddings.densenet121 \\
        --weights resources/weights/densenet121.safetensors \\
        --images results/images/sample/ene/0.parquet --output results/embeddings/densenet121/sample/ene/0.parquet
"""

import argparse

from visner import stages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs `weights` and `embed`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    weights = verbs.add_parser("weights", help="the backbone's weights as one file")
    weights.add_argument("--recipe", required=True, help="the embedding recipe: JSON, or FILE.yaml:embeddings.NAME")
    weights.add_argument("--root", default=".", metavar="DIR", help="what the recipe's path is relative to")
    weights.add_argument("--output", required=True, metavar="FILE", help="the weights, as safetensors")

    embed = verbs.add_parser("embed", help="the vectors of one shard's pictures")
    embed.add_argument("--recipe", required=True, help="the embedding recipe: JSON, or FILE.yaml:embeddings.NAME")
    embed.add_argument("--weights", required=True, metavar="FILE", help="what the verb `weights` made")
    embed.add_argument("--images", required=True, metavar="FILE", help="the shard's images table")
    embed.add_argument("--store", default="store", metavar="DIR", help="where vectors are kept for good")
    embed.add_argument("--output", required=True, metavar="FILE", help="the shard's embeddings table")
    embed.add_argument("--scratch", default="", metavar="FOLDER", help="a disk of this machine, to read --images from")
    stages.add_compute_arguments(embed)
    embed.add_argument(
        "--batch", type=int, metavar="N", help="pictures at a time; last bits depend on it (CPU: 8, GPU: 128)"
    )
    embed.add_argument("--workers", type=int, default=1, metavar="N", help="threads that decode pictures ahead")


def run(arguments: argparse.Namespace) -> None:
    """Run a verb."""
    import torch

    from visner import device
    from visner.config import read_recipe
    from visner.recipes import Embedding

    stages.die_with_parent()
    recipe = read_recipe(arguments.recipe, Embedding)
    with stages.locked(arguments.output):
        if arguments.verb == "weights":
            from visner.embeddings.weights import make_weights, write_weights

            torch.set_num_threads(1)  # calibrated batch norms depend on the threads in their last bits
            weights = make_weights(recipe, arguments.root)
            write_weights(arguments.output, weights)
            stages.log.info("%s, weights %s: sha256 %s", weights.backbone, weights.name, weights.sha256)
        else:
            from visner.embeddings.embed import embed

            counts = embed(
                recipe,
                arguments.weights,
                arguments.images,
                arguments.store,
                arguments.output,
                device.select(arguments.gpu, arguments.threads),
                arguments.batch,
                arguments.workers,
                arguments.scratch,
            )
            stages.log.info("%(pictures)s pictures, %(embedded)s of them embedded now, the others kept", counts)
