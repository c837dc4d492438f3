"""kill -9 at five random moments of a study of tweets, and on again: the same bytes as an undisturbed run."""

import time

from killing import prepare, survive

STUDY = "results/studies/tweets/index.json"
OF_TWEETS = ["results/text/scores.json", "results/gate/scores.json", "results/vokens/tiny/scores.json", STUDY]


def test_kills_leave_no_trace_in_a_study_of_tweets(tweets, tmp_path, request):
    content = tweets.config()
    content["studies"]["tweets"]["systems"] = ["gate"]
    tweets.configure(content)
    undisturbed, began = tweets.copy(tmp_path / "undisturbed"), time.monotonic()
    done = undisturbed.run(STUDY)
    assert done.returncode == 0, done.stdout + done.stderr
    prepare(tweets, request.config.rootpath)
    survive(tweets, STUDY, kills=5, latest=max(4, (time.monotonic() - began) / 2))  # such moments are spread over a run
    for path in OF_TWEETS:
        assert (tweets.folder / path).read_bytes() == (undisturbed.folder / path).read_bytes(), path
