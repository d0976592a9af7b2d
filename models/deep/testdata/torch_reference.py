#!/usr/bin/python3
"""Writes torch_reference.json: what PyTorch makes of the objectives of this package, from the formulas of the papers and
automatic differentiation, in float64. Made with torch 1.13.0a0 (Debian's python3-torch).

    ./torch_reference.py > torch_reference.json
"""
import json
import math

import torch

torch.set_default_dtype(torch.float64)
N, D = 48, 6


def values(n, salt, scale=1.0):
    return [scale * math.sin(12.9898 * (i + 1) + 78.233 * salt) for i in range(n)]


def float32(v):
    return torch.tensor(v, dtype=torch.float32).double()


def weights(shapes):
    """Out×In matrices and, where the flag says so, biases, in the order of the layers."""
    out, salt = [], 10
    for o, i, bias in shapes:
        out.append(float32(values(o * i, salt, 0.6)).reshape(o, i))
        salt += 1
        out.append(float32(values(o, salt, 0.2)) if bias else None)
        salt += 1
    for w in out:
        if w is not None:
            w.requires_grad_(True)
    return out


def stack(p, x, acts):
    for k, act in enumerate(acts):
        x = x @ p[2 * k].T
        if p[2 * k + 1] is not None:
            x = x + p[2 * k + 1]
        x = act(x)
    return x


X = float32(values(N * D, 1)).reshape(N, D)
ATTACK = torch.tensor([i % 7 == 0 for i in range(N)])
leaky, relu, tanh, linear = torch.nn.LeakyReLU(0.01), torch.relu, torch.tanh, lambda v: v


def train(p, loss):
    """Losses of 12 steps of Adam on all rows, before each step, and the sums of the weights' absolute values after."""
    opt = torch.optim.Adam([w for w in p if w is not None], lr=0.01)
    losses = []
    for _ in range(12):
        opt.zero_grad()
        v = loss(p)
        v.backward()
        losses.append(v.item())
        opt.step()
    return {"losses": losses, "weights": [w.abs().sum().item() for w in p if w is not None]}


CENTRE = torch.tensor([0.3, -0.2, 0.5])
SPHERE = [(5, D, False), (3, 5, False)]


def far(p):
    return ((stack(p, X, [leaky, linear]) - CENTRE) ** 2).sum(1)


def soft(p):
    return 0.5 + torch.clamp(far(p) - 0.5, min=0).mean() / 0.2


def sad(p):
    d = far(p)
    return torch.where(ATTACK, 2.0 / (d + 1e-6), d).mean()


def devnet(p):
    dev = (stack(p, X, [relu, linear])[:, 0] - 0.01) / 0.99
    return torch.where(ATTACK, torch.clamp(5 - dev, min=0), dev.abs()).mean()


def dagmm(p):
    z = stack(p[0:4], X, [tanh, linear])
    y = stack(p[4:8], z, [tanh, linear])
    nx, ny = X.norm(dim=1), y.norm(dim=1)
    f = torch.cat([z, ((X - y).norm(dim=1) / nx)[:, None], ((X * y).sum(1) / (nx * ny))[:, None]], 1)
    gamma = torch.softmax(stack(p[8:12], f, [tanh, linear]), 1)
    size = gamma.sum(0)
    phi, mu = size / N, (gamma.T @ f) / size[:, None]
    e = f[:, None, :] - mu[None]
    cov = torch.einsum("nk,nka,nkb->kab", gamma, e, e) / size[:, None, None] + 1e-3 * torch.eye(4)
    density = torch.stack([torch.distributions.MultivariateNormal(mu[k], cov[k]).log_prob(f) for k in range(3)], 1)
    energy = -torch.logsumexp(torch.log(phi) + density, 1)
    diagonal = torch.diagonal(cov, dim1=1, dim2=2)
    return ((X - y) ** 2).sum(1).mean() + 0.1 * energy.mean() + 0.005 * (1 / diagonal).sum()


json.dump({
    "one_class": train(weights(SPHERE), lambda p: far(p).mean()),
    "soft_boundary": train(weights(SPHERE), soft),
    "deep_sad": train(weights(SPHERE), sad),
    "devnet": train(weights([(4, D, True), (1, 4, True)]), devnet),
    "dagmm": train(weights([(5, D, True), (2, 5, True), (5, 2, True), (D, 5, True), (5, 4, True), (3, 5, True)]), dagmm),
}, __import__("sys").stdout, indent=1)
