"""What a matcher minimises: each word's own picture must beat all other pictures, and its own word all other words.

A *positive* pair is a word i and the picture own(i) of its sentence. It has two kinds of unmatched pairs: (i, v) with
another picture v of the batch, and (j, own(i)) with a word j that has another picture. Both losses average over the
positives' image negatives and over their token negatives, and add the two averages.

All scores are one matrix S = F G^T [N, P] of the batch's N words and P distinct pictures. Everything below is read off
it, so that no tensor over pairs of sentences, words and dimensions is ever built: the largest is [N, N].
"""

import torch
from torch import Tensor
from torch.nn import functional


def hinge_rank_loss(scores: Tensor, own: Tensor, margin: float) -> Tensor:
    """Batch-wise hinge rank loss over all unmatched pairs.

        mean over (i, v), v != own(i), of max(0, margin - S[i, own(i)] + S[i, v])
      + mean over (i, j), own(j) != own(i), of max(0, margin - S[i, own(i)] + S[j, own(i)])

    Beside Tan and Bansal (Vokenization, EMNLP 2020, section 3.2) and their public code:

    - First line. Their training pairs the sentences of a batch at random: a word has one negative, the picture of its
      partner. Averaged over all pairings that is this line. Their batch-wise loss sums the same hinges, and divides by
      B words' pictures where B - 1 are negatives (B sentences): it is this line times (B - 1) / B.
    - Second line. The paper draws one word of another sentence. Their training loss has no such line. Their batch-wise
      loss takes the word j at the place of i in each other sentence (its margin is then measured from a padding's
      score where the own sentence is the shorter one), and divides as above; here j is every word.
    - The words themselves. Theirs are sub-tokens, special ones included; here they are words.
    - Pictures. Theirs are a sentence's own, and a copy of it in another sentence is a negative; here it is none.

    With sentences of one word the batch-wise loss is this one times (B - 1) / B.

    `scores` is [N, P], `own` [N] the column of each word's picture. Zero where the batch has one picture only.
    """
    positive = scores.gather(1, own.unsqueeze(1))  # [N, 1]
    other = _unmatched(scores, own)  # [N, P]
    to_pictures = functional.relu(margin - positive + scores) * other  # [N, P]
    to_words = functional.relu(margin - positive + scores.T[own]) * other.T[own]  # [N, N]: row i is S[:, own(i)]
    pairs = other.T[own].sum()
    return to_pictures.sum() / other.sum().clamp(min=1) + to_words.sum() / pairs.clamp(min=1)


def infonce_loss(scores: Tensor, own: Tensor, temperature: float) -> Tensor:
    """InfoNCE (van den Oord et al. 2018): the same positives against the same unmatched pairs, as two softmaxes.

        mean over i of -log(e(i, own(i)) / (e(i, own(i)) + sum over v != own(i) of e(i, v)))
      + mean over i of -log(e(i, own(i)) / (e(i, own(i)) + sum over j, own(j) != own(i), of e(j, own(i))))

    with e = exp(S / temperature). `scores` is [N, P], `own` [N].
    """
    scores = scores / temperature
    positive = scores.gather(1, own.unsqueeze(1)).squeeze(1)  # [N]
    to_pictures = scores.logsumexp(1)  # [N]
    others = scores.masked_fill(~_unmatched(scores, own), -torch.inf).logsumexp(0)  # [P]
    to_words = torch.logaddexp(positive, others[own])  # [N]
    return (to_pictures + to_words - 2 * positive).mean()


def _unmatched(scores: Tensor, own: Tensor) -> Tensor:
    """[N, P], False where the picture is the word's own."""
    return torch.arange(scores.shape[1], device=own.device) != own.unsqueeze(1)
