#!/usr/bin/python3
"""Time PyTorch on one workload of the speed command; prints seconds of the fastest epoch, then the losses.

variants:  eager    nn.Sequential / nn.LSTM + torch.optim.Adam
           foreach  the same with Adam(foreach=True)
           flat     every parameter and gradient a view of one buffer, so that Adam is one tensor's
           jit      traced and (D) frozen model, flat Adam
           dnn      D only: optimize_for_inference (oneDNN)
           manual   A/B/D only: no autograd, products into preallocated buffers, hand-written backward, flat Adam

The tuning is what makes it fast here: threads set for OpenMP and OpenBLAS, denormals flushed, data preloaded and
shuffled once an epoch by one index_select, batches are slices. OpenBLAS 0.3.21 takes newer CPUs for a Prescott
(SSE3 kernels): OPENBLAS_CORETYPE is set from the CPU's flags. Its pthread build beside OpenMP's threads makes four
spinning threads of two: it gets one thread and the second is OpenMP's.
"""
import argparse
import os
import time

p = argparse.ArgumentParser()
p.add_argument("--workload", required=True)
p.add_argument("--variant", default="eager")
p.add_argument("--threads", type=int, default=1)
p.add_argument("--epochs", type=int, default=4)
p.add_argument("--data", default="bench-data")
p.add_argument("--dbatch", type=int, default=4096)
a = p.parse_args()

env = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": str(a.threads)}
flags = open("/proc/cpuinfo").read()
if "avx512_bf16" in flags:
    env["OPENBLAS_CORETYPE"] = "Cooperlake"
elif "avx512vl" in flags:
    env["OPENBLAS_CORETYPE"] = "SkylakeX"
elif "avx2" in flags:
    env["OPENBLAS_CORETYPE"] = "Haswell"
if "avx512vl" in flags:
    env["ATEN_CPU_CAPABILITY"] = "avx512"
os.environ.update(env)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

torch.set_num_threads(a.threads)
torch.set_flush_denormal(True)
LR, B1, B2, EPS = 1e-3, 0.9, 0.999, 1e-8
SIZES = {"A": [122, 80, 40, 12, 40, 80, 122], "B": [76, 49, 25, 9, 25, 49, 76]}


def load(name, shape, t="<f4"):
    x = np.fromfile(os.path.join(a.data, name), dtype=t)
    return torch.from_numpy(x.reshape(shape))


def mlp(sizes):
    layers = []
    for i, (m, n) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(m, n))
        if i < len(sizes) - 2:
            layers.append(nn.Tanh())
    return nn.Sequential(*layers)


class Predictor(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(32, 64, batch_first=True)
        self.head = nn.Linear(64, 32)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.LSTM(32, 64, batch_first=True)
        self.dec = nn.LSTM(64, 64, batch_first=True)
        self.head = nn.Linear(64, 32)

    def forward(self, x):
        h = self.enc(x)[1][0][0]
        return self.head(self.dec(h.unsqueeze(1).expand(-1, x.shape[1], -1))[0])


def set_weights(model, w):
    o = 0
    with torch.no_grad():
        for q in model.parameters():
            q.copy_(w[o:o + q.numel()].view_as(q))
            o += q.numel()
    assert o == w.numel(), (o, w.numel())


class FlatAdam:
    """One buffer for all parameters, one for all gradients; Adam with torch's arithmetic on the whole buffer."""

    def __init__(self, params):
        params = list(params)
        n = sum(q.numel() for q in params)
        self.p, self.g = torch.empty(n), torch.zeros(n)
        self.m, self.v, self.d, self.t = torch.zeros(n), torch.zeros(n), torch.empty(n), 0
        o = 0
        for q in params:
            k = q.numel()
            self.p[o:o + k].copy_(q.data.view(-1))
            q.data = self.p[o:o + k].view_as(q)
            q.grad = self.g[o:o + k].view_as(q)
            o += k

    def zero_grad(self):
        self.g.zero_()

    @torch.no_grad()
    def step(self):
        self.t += 1
        self.m.mul_(B1).add_(self.g, alpha=1 - B1)
        self.v.mul_(B2).addcmul_(self.g, self.g, value=1 - B2)
        torch.sqrt(self.v, out=self.d)
        self.d.div_((1 - B2 ** self.t) ** 0.5).add_(EPS)
        self.p.addcdiv_(self.m, self.d, value=-LR / (1 - B1 ** self.t))


def train_autograd(model, xs, ys, perm, batch, variant):
    model.train()
    if variant == "jit":
        opt = FlatAdam(model.parameters())
        f = torch.jit.trace(model, xs[:batch])
    elif variant == "flat":
        opt = FlatAdam(model.parameters())
        f = model
    else:
        opt = torch.optim.Adam(model.parameters(), lr=LR, foreach=(variant == "foreach"))
        f = model
    flat = isinstance(opt, FlatAdam)
    lossf = nn.MSELoss()
    n = xs.shape[0]

    def epoch(e):
        ix = perm[e % perm.shape[0]]
        x = xs.index_select(0, ix)
        y = x if ys is xs else ys.index_select(0, ix)
        tot = torch.zeros(())
        end = n
        for i in range(0, end, batch):
            xb, yb = x[i:i + batch], y[i:i + batch]
            if flat:
                opt.zero_grad()
            else:
                opt.zero_grad(set_to_none=True)
            loss = lossf(f(xb), yb)
            loss.backward()
            opt.step()
            tot += loss.detach() * xb.shape[0]
        return tot.item() / end

    return epoch


def train_manual(sizes, w, xs, perm, batch):
    L = len(sizes) - 1
    n_par = w.numel()
    P, G, M, V, S = w.clone(), torch.zeros(n_par), torch.zeros(n_par), torch.zeros(n_par), torch.empty(n_par)
    W, Bi, gW, gB = [], [], [], []
    o = 0
    for i, k in zip(sizes, sizes[1:]):
        W.append(P[o:o + i * k].view(k, i)), gW.append(G[o:o + i * k].view(k, i))
        o += i * k
        Bi.append(P[o:o + k]), gB.append(G[o:o + k])
        o += k
    n = xs.shape[0]
    st = [0]

    def bufs(b):
        return [torch.empty(b, s) for s in sizes[1:]], [torch.empty(b, s) for s in sizes]

    full, part = bufs(batch), bufs(n % batch) if n % batch else None
    WT = [x.t() for x in W]

    @torch.no_grad()
    def epoch(e):
        x = xs.index_select(0, perm[e % perm.shape[0]])
        tot = torch.zeros(())
        end = n
        for i in range(0, end, batch):
            xb = x[i:i + batch]
            b = xb.shape[0]
            act, d = full if b == batch else part
            h = xb
            for l in range(L):
                torch.addmm(Bi[l], h, WT[l], out=act[l])
                if l < L - 1:
                    act[l].tanh_()
                h = act[l]
            g = torch.sub(h, xb, out=d[L])
            tot += torch.dot(g.view(-1), g.view(-1))
            g.mul_(2 / g.numel())
            for l in range(L - 1, -1, -1):
                inp = xb if l == 0 else act[l - 1]
                torch.mm(g.t(), inp, out=gW[l])
                torch.sum(g, 0, out=gB[l])
                if l:
                    g2 = torch.mm(g, W[l], out=d[l])
                    # d *= 1 - a^2
                    torch.ops.aten.tanh_backward.grad_input(g2, inp, grad_input=g2)
                    g = g2
            st[0] += 1
            t = st[0]
            M.mul_(B1).add_(G, alpha=1 - B1)
            V.mul_(B2).addcmul_(G, G, value=1 - B2)
            torch.sqrt(V, out=S)
            S.div_((1 - B2 ** t) ** 0.5).add_(EPS)
            P.addcdiv_(M, S, value=-LR / (1 - B1 ** t))
        return tot.item() / end / sizes[0]

    return epoch


def score(variant, w, x):
    model = mlp(SIZES["A"])
    set_weights(model, w)
    model.eval()
    n, bs = x.shape[0], a.dbatch
    out = torch.empty(n)
    if variant in ("jit", "dnn"):
        with torch.no_grad():
            f = torch.jit.freeze(torch.jit.trace(model, x[:bs]))
            if variant == "dnn":
                f = torch.jit.optimize_for_inference(f)
            for _ in range(3):
                f(x[:bs])
    else:
        f = model
    W = [m.weight.data.t() for m in model if isinstance(m, nn.Linear)]
    Bi = [m.bias.data for m in model if isinstance(m, nn.Linear)]
    act = [torch.empty(bs, s) for s in SIZES["A"][1:]]

    def epoch(e):
        with torch.inference_mode():
            for i in range(0, n, bs):
                xb = x[i:i + bs]
                if variant == "manual":
                    b = xb.shape[0]
                    h = xb
                    for l in range(6):
                        o = act[l][:b]
                        torch.addmm(Bi[l], h, W[l], out=o)
                        if l < 5:
                            o.tanh_()
                        h = o
                    h.sub_(xb)
                    torch.mean(h.square_(), 1, out=out[i:i + bs])
                else:
                    torch.mean((f(xb) - xb).square_(), 1, out=out[i:i + bs])
        return out.double().mean().item()

    return epoch


def build():
    k, v = a.workload, a.variant
    if k[0] in "AB":
        c = k[0].lower()
        sizes = SIZES[k[0]]
        x = load(c + "_x.f32", (-1, sizes[0]))
        perm = load(c + "_perm.i32", (10, -1), "<i4").long()
        w = load(c + "_w.f32", (-1,))
        if v == "manual":
            return train_manual(sizes, w, x, perm, int(k[1:]))
        model = mlp(sizes)
        set_weights(model, w)
        return train_autograd(model, x, x, perm, int(k[1:]), v)
    if k[0] == "C":
        x = load("c_x.f32", (-1, 21, 32))
        perm = load("c_perm.i32", (10, -1), "<i4").long()
        if k == "C2":
            model, w, xs = AutoEncoder(), load("c2_w.f32", (-1,)), x[:, :20].contiguous()
            ys = xs
        else:
            model, w, xs, ys = Predictor(), load("c_w.f32", (-1,)), x[:, :20].contiguous(), x[:, 1:].contiguous()
        set_weights(model, w)
        return train_autograd(model, xs, ys, perm, 64, v)
    x = load("d_x.f32", (-1, 122))
    return score(v, load("a_w.f32", (-1,)), x)


epoch = build()
wall, curve = [], []
for e in range(a.epochs):
    t = time.perf_counter()
    curve.append(epoch(e))
    wall.append(time.perf_counter() - t)
print("%.6f" % min(wall), *["%.9g" % v for v in curve])
