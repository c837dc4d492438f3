"""A linear-chain CRF: pytorch-crf's parameters, with a normaliser and a decoder that are several times faster."""

from collections.abc import Sequence

import numpy as np
import torch
import torchcrf
from torch import Tensor


def allowed(labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Which labels may begin a sentence [K], and which may follow which [K, K] (from, to), by the scheme BIO (IOB2).

    I-X follows B-X and I-X only; everything else may stand anywhere.
    """
    inside = np.array([label.startswith("I-") for label in labels])  # [K]
    classes = np.array([label[2:] for label in labels])  # [K]; of O nothing
    return ~inside, ~inside | (classes[:, None] == classes)  # O's class is no class


class LogPartition(torch.autograd.Function):
    """log Z of each sequence; its gradient is the marginals, from one forward and one backward recursion.

    Differentiating the recursion step by step, as autograd would, costs several times as much.
    """

    @staticmethod
    def forward(ctx, emissions: Tensor, mask: Tensor, start: Tensor, end: Tensor, transitions: Tensor) -> Tensor:
        """emissions [T, B, K], mask [T, B] (bool, True first), start and end [K], transitions [K, K] (from, to)."""
        alphas = torch.empty_like(emissions)  # [T, B, K]
        alphas[0] = start + emissions[0]
        keep = mask.unsqueeze(-1)  # [T, B, 1]
        for t in range(1, len(emissions)):
            step = torch.logsumexp(alphas[t - 1].unsqueeze(2) + transitions, dim=1) + emissions[t]  # [B, K]
            torch.where(keep[t], step, alphas[t - 1], out=alphas[t])
        log_z = torch.logsumexp(alphas[-1] + end, dim=1)  # [B]
        ctx.save_for_backward(emissions, mask, end, transitions, alphas, log_z)
        return log_z

    @staticmethod
    def backward(ctx, grad: Tensor):
        emissions, mask, end, transitions, alphas, log_z = ctx.saved_tensors
        betas = torch.empty_like(emissions)  # [T, B, K]
        betas[-1] = end
        keep = mask.unsqueeze(-1)  # [T, B, 1]
        for t in range(len(emissions) - 1, 0, -1):
            ahead = (betas[t] + emissions[t]).unsqueeze(1) + transitions  # [B, K, K]
            torch.where(keep[t], torch.logsumexp(ahead, dim=2), betas[t], out=betas[t - 1])
        # padding repeats the last alpha and has beta = end: it must count nowhere
        marginals = (alphas + betas - log_z.unsqueeze(-1)).exp() * (keep * grad.unsqueeze(-1))  # [T, B, K]
        pairs = (alphas[:-1] - log_z.unsqueeze(-1)).unsqueeze(3) + (betas[1:] + emissions[1:]).unsqueeze(2)
        pairs = (pairs + transitions).exp() * (keep[1:] * grad.unsqueeze(-1)).unsqueeze(3)  # [T-1, B, K, K]
        last = mask.sum(0) - 1  # [B]
        ends = marginals[last, torch.arange(len(last), device=last.device)]  # [B, K]
        return marginals, None, marginals[0].sum(0), ends.sum(0), pairs.sum((0, 1))


class CRF(torchcrf.CRF):
    """As torchcrf.CRF with `batch_first=True`: the same parameters and values, and decodings that obey the labels.

    With `constrained`, an I- that continues no mention of its class is never decoded. The likelihood knows no such
    rule, for gold labels may break it (Twitter-2015's test set does 135 times).
    """

    def __init__(self, labels: Sequence[str], constrained: bool = True):
        super().__init__(len(labels), batch_first=True)
        may_begin, may_follow = allowed(labels) if constrained else (True, True)
        self._start_penalty = np.where(may_begin, 0, -np.inf).astype(np.float32)  # [K], or a scalar
        self._penalty = np.where(may_follow, 0, -np.inf).astype(np.float32)  # [K, K] (from, to), or a scalar

    def forward(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """The log likelihood of each sequence [B]; emissions [B, T, K], tags [B, T], mask [B, T] (bool)."""
        emissions, tags, mask = emissions.float().transpose(0, 1), tags.transpose(0, 1), mask.transpose(0, 1)
        score = self._compute_score(emissions, tags, mask)
        return score - LogPartition.apply(
            emissions, mask, self.start_transitions, self.end_transitions, self.transitions
        )

    def _compute_score(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        weight = mask.float()  # [T, B]
        emitted = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)  # [T, B]
        moved = self.transitions[tags[:-1], tags[1:]]  # [T-1, B]
        last = tags.gather(0, (mask.sum(0) - 1).unsqueeze(0)).squeeze(0)  # [B]
        score = (emitted * weight).sum(0) + (moved * weight[1:]).sum(0)
        return score + self.start_transitions[tags[0]] + self.end_transitions[last]

    @torch.no_grad()
    def decode(self, emissions: Tensor, mask: Tensor) -> list[list[int]]:
        """The best allowed tags of each sequence (Viterbi), in numpy: small steps cost a tenth of torch's there."""
        scores = emissions.float().cpu().numpy().transpose(1, 0, 2)  # [T, B, K]
        lengths = mask.sum(1).tolist()
        transitions = (self.transitions.detach().cpu().numpy() + self._penalty)[None]  # [1, K, K]
        best = self.start_transitions.detach().cpu().numpy() + self._start_penalty + scores[0]  # [B, K]
        end = self.end_transitions.detach().cpu().numpy()
        history = np.empty(scores.shape, dtype=np.int64)  # [T, B, K]; history[t]: the best tag before each
        finals = np.empty((len(lengths), scores.shape[2]), dtype=scores.dtype)  # [B, K]
        for t, step in enumerate(scores):
            if t:
                candidates = best[:, :, None] + transitions  # [B, K, K]
                history[t] = candidates.argmax(1)
                best = candidates.max(1) + step
            for row in np.flatnonzero(np.asarray(lengths) == t + 1):
                finals[row] = best[row] + end
        decoded = []
        for row, length in enumerate(lengths):
            tags = [int(finals[row].argmax())]
            for t in range(length - 1, 0, -1):
                tags.append(int(history[t, row, tags[-1]]))
            decoded.append(tags[::-1])
        return decoded
