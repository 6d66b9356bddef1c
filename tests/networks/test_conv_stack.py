"""The stack of convolutions on the seeds axis is PyTorch's own, seed by seed."""

import torch
from torch import nn

from ssl_dynamics.networks import ConvStack


def test_scores_and_pre_activations_are_pytorchs():
    seeds, widths = (3, 5), (4, 6)
    stack = ConvStack(seeds, widths, 10, offset=0.2).double()
    with torch.no_grad():
        for norm in stack.norms:
            norm.gain.copy_(torch.randn(norm.gain.shape, dtype=torch.float64))
    images = torch.randn(2, 7, 8, 8, dtype=torch.float64)
    passed = stack(images)
    for s in range(2):
        x = images[s][:, None]
        for layer, n_out in enumerate(widths):
            conv = nn.Conv2d(x.shape[1], n_out, 3, padding=1, bias=False).double()
            norm = nn.BatchNorm2d(n_out).double()
            with torch.no_grad():  # inputs of a row: shift by shift, channels innermost
                rows = stack.filters[layer].weight[s].view(n_out, 3, 3, -1)
                conv.weight.copy_(rows.permute(0, 3, 1, 2))
                norm.weight.copy_(stack.norms[layer].gain[s])
                norm.bias.copy_(stack.norms[layer].offset[s])
            h = norm(conv(x))
            torch.testing.assert_close(passed.pre[layer][s].permute(0, 3, 1, 2), h)
            x = torch.relu(h)
            x = nn.functional.max_pool2d(x, 2) if layer == 0 else x
        scores = nn.functional.linear(x.mean((2, 3)), stack.scores.weight[s], stack.scores.bias[s])
        torch.testing.assert_close(passed.scores[s], scores)


def test_a_seed_alone_is_what_it_is_in_company():
    images = torch.randn(1, 6, 8, 8)
    alone = ConvStack((5,), (4, 6), 3)(images).scores
    both = ConvStack((3, 5), (4, 6), 3)(images.expand(2, -1, -1, -1)).scores
    torch.testing.assert_close(alone[0], both[1])
