"""Tweets with pictures in a real Snakemake run: the gate over vokens, the attention over an attached picture's grid."""

import json


def test_both_fusions_go_from_tweets_and_pictures_to_scores_and_a_study(tweets):
    from visner.runtime import tables

    names, page = ["gate", "grid"], "results/studies/tweets/index.md"
    targets = [*(f"results/{name}/scores.json" for name in names), page]
    rules = tweets.rules_run(*targets)
    assert not [rule for rule in rules if rule.startswith(("nouns", "vectors"))]  # tokens have none
    for name in names:
        scores = json.loads((tweets.folder / "results" / name / "scores.json").read_text())
        assert scores["sentences"] == {"train": 12, "dev": 4, "test": 4}
        rows = tables.iterate_rows(
            tweets.folder / "results" / name / "seed1" / "predictions.parquet", tables.PREDICTIONS
        )
        assert all(len(row["gate"]) == 3 for row in rows)
    grounded = {
        row["sentence_id"]: row["rows"]
        for row in tables.iterate_rows(
            tweets.folder / "results" / "grounding" / "regions" / "tweets" / "grounding.parquet", tables.GROUNDING
        )
    }
    assert len(grounded["1"][0]) == 49
    assert grounded["3"] == [[], [], []]

    text = (tweets.folder / page).read_text()
    for title in ("Table 1. The corpus", "Table 2. Classes and averages", "Recall of the matchers"):
        assert f"### {title}" in text
    assert "> **Pictures own:** plain colours (gate, grid)" in text
    assert "Rejected of `own`: missing 1." in text
    gallery = tweets.folder / "results" / "studies" / "tweets" / "gallery.html"
    assert gallery.read_text().count("<section>") == 4
    assert gallery.read_text().count('src="data:image/jpeg;base64,') == 4 * 2 * 2  # two words, two vokens each

    content = tweets.config()
    content["studies"]["tweets"]["gallery"] = {"sentences": 1, "system": "grid"}
    content["images"]["own"]["note"] = None
    tweets.configure(content)
    rerun = set(tweets.rules_run(*targets))
    assert rerun == {"ner_describe", "evaluation_score", "evaluation_gallery", "evaluation_study"}  # words alone
    assert "plain colours" not in (tweets.folder / page).read_text()
    assert gallery.read_text().count("<section>") == 1
    assert tweets.rules_run(*targets) == []
