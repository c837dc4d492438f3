"""The scores of vokens as a readable page."""


def page(name: str, scores: dict) -> str:
    """The scores as a Markdown page."""
    found, search = scores["recall"], scores["search"]
    kind = "exact" if search["recall"] is None else f"HNSW, recall {100 * search['recall']:.1f}%"
    lines = [
        f"# Vokens of {name}",
        "",
        f"{search['pictures']:,} pictures in the pool ({search['names']:,} names); search: {kind}; "
        f"exclude_own: {str(scores['exclude_own']).lower()}.",
        "",
        f"Token-to-image recall on dev: {found['words']:,} words, each against "
        f"{found['candidates']:,} distinct pictures.",
        "",
        "| | recall@1 | recall@5 | recall@10 |",
        "|---|--:|--:|--:|",
        *(f"| {row} | " + " | ".join(f"{found[key][cut]:.2f}" for cut in ("1", "5", "10")) + " |"
          for row, key in (("matcher", "at"), ("blind choice", "chance"))),
        "",
        "Diversity of the first vokens (averages over token types; Tan and Bansal 2020), and the words that find the "
        "bytes of their own sentence's picture:",
        "",
        "| | words | types | pictures found | vokens a type | largest | of repeated types: vokens | entropy (bits) "
        "| own first, % | own found, % |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for split, one in scores["diversity"].items():
        own, repeated = scores["own"][split]["shares"], one["repeated"]
        lines.append(
            f"| {split} | {one['words']:,} | {one['types']:,} | {one['pictures']:,} | {one['vokens']:.2f} "
            f"| {one['largest']:.2f} | {repeated['vokens']:.2f} | {repeated['entropy']:.2f} "
            f"| {own['first']:.2f} | {own['found']:.2f} |"
        )
    lines += [
        "",
        "Attachments, and how many of dev and test are byte for byte a training sentence's picture:",
        "",
        "| | attachments | usable | distinct pictures | names of train | copies of train |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for split, one in scores["overlap"].items():
        shared = [f"{one[key]:,}" if key in one else "" for key in ("names_of_train", "copies_of_train")]
        lines.append(
            f"| {split} | {one['attachments']:,} | {one['usable']:,} | {one['distinct_pictures']:,} "
            f"| {' | '.join(shared)} |"
        )
    states = scores["states"]
    lines += [
        "",
        f"Of {states['words']:,} words {states['without_subtokens']:,} have no sub-tokens, and no vokens; "
        f"{states['long_sentences']:,} sentences are longer than the encoder's positions, and read in windows.",
        "",
        f"Data: sha256 `{scores['provenance']['data_sha256']}`. `scores.json` says what else made these numbers.",
    ]
    return "\n".join(lines) + "\n"
