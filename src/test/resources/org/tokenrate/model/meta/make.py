"""Makes the model in this folder, and the logits that Meta's equations give for it.

The weights are random, of a Llama in Meta's layout with two model-parallel shards, saved by torch itself; the
matrices of a layer share one storage, as in Meta's files. Run with torch 1.13 in this folder: python3 make.py
"""
import json
import math

import torch

torch.manual_seed(7)
PARAMS = {"dim": 32, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "multiple_of": 16, "ffn_dim_multiplier": 0.6,
          "norm_eps": 1e-05, "vocab_size": -1}
DIM, LAYERS, HEADS, KV_HEADS = PARAMS["dim"], PARAMS["n_layers"], PARAMS["n_heads"], PARAMS["n_kv_heads"]
HEAD, WIDTH, VOCABULARY, SHARDS = DIM // HEADS, 64, 32, 2  # 0.6 * 85 = 51, in sixteens 64


def matrix(rows, columns):
    return (torch.randn(rows, columns) * 1.5 / math.sqrt(columns)).half()


def norm():
    return (1 + 0.2 * torch.randn(DIM)).half()


whole = {"tok_embeddings.weight": torch.randn(VOCABULARY, DIM).half()}
for i in range(LAYERS):
    p = f"layers.{i}."
    whole[p + "attention.wq.weight"] = matrix(DIM, DIM)
    whole[p + "attention.wk.weight"] = matrix(KV_HEADS * HEAD, DIM)
    whole[p + "attention.wv.weight"] = matrix(KV_HEADS * HEAD, DIM)
    whole[p + "attention.wo.weight"] = matrix(DIM, DIM)
    whole[p + "feed_forward.w1.weight"] = matrix(WIDTH, DIM)
    whole[p + "feed_forward.w2.weight"] = matrix(DIM, WIDTH)
    whole[p + "feed_forward.w3.weight"] = matrix(WIDTH, DIM)
    whole[p + "attention_norm.weight"] = norm()
    whole[p + "ffn_norm.weight"] = norm()
whole["norm.weight"] = norm()
whole["output.weight"] = matrix(VOCABULARY, DIM)


def logits(tokens):
    """The last token's, with rotary pairs side by side as complex numbers."""
    w = {name: t.double() for name, t in whole.items()}

    def rms(x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + PARAMS["norm_eps"]) * weight

    n = len(tokens)
    angles = torch.outer(torch.arange(n).double(), 10000.0 ** (-torch.arange(0, HEAD, 2).double() / HEAD))
    turn = torch.polar(torch.ones_like(angles), angles)[:, None, :]

    def rotate(x):
        pairs = torch.view_as_complex(x.reshape(n, -1, HEAD // 2, 2))
        return torch.view_as_real(pairs * turn).flatten(2)

    x = w["tok_embeddings.weight"][tokens]
    for i in range(LAYERS):
        p = f"layers.{i}."
        y = rms(x, w[p + "attention_norm.weight"])
        q = rotate((y @ w[p + "attention.wq.weight"].T).reshape(n, HEADS, HEAD))
        k = rotate((y @ w[p + "attention.wk.weight"].T).reshape(n, KV_HEADS, HEAD))
        v = (y @ w[p + "attention.wv.weight"].T).reshape(n, KV_HEADS, HEAD)
        k = k.repeat_interleave(HEADS // KV_HEADS, 1)
        v = v.repeat_interleave(HEADS // KV_HEADS, 1)
        scores = torch.einsum("qhd,khd->hqk", q, k) / math.sqrt(HEAD)
        scores += torch.full((n, n), -math.inf, dtype=torch.double).triu(1)
        attended = torch.einsum("hqk,khd->qhd", scores.softmax(-1), v).reshape(n, DIM)
        x = x + attended @ w[p + "attention.wo.weight"].T
        y = rms(x, w[p + "ffn_norm.weight"])
        gate = torch.nn.functional.silu(y @ w[p + "feed_forward.w1.weight"].T)
        x = x + (gate * (y @ w[p + "feed_forward.w3.weight"].T)) @ w[p + "feed_forward.w2.weight"].T
    return (rms(x, w["norm.weight"]) @ w["output.weight"].T)[-1]


def shard(name, tensor, rank):
    if "norm" in name:
        return tensor
    columns = any(part in name for part in ("wo.", "w2.", "tok_embeddings."))
    return tensor.chunk(SHARDS, 1 if columns else 0)[rank]


for rank in range(SHARDS):
    parts = {name: shard(name, tensor, rank) for name, tensor in whole.items()}
    for i in range(LAYERS):
        names = [name for name in parts if name.startswith(f"layers.{i}.") and "norm" not in name]
        storage = torch.cat([parts[name].flatten() for name in names])
        for name, flat in zip(names, storage.split([parts[name].numel() for name in names])):
            parts[name] = flat.view(parts[name].shape)
    parts = {name: part if name.startswith("layers.") else part.clone() for name, part in parts.items()}
    parts["rope.freqs"] = 10000.0 ** (-torch.arange(0, HEAD, 2).float() / HEAD)
    torch.save(parts, f"consolidated.{rank:02d}.pth")

with open("params.json", "w") as file:
    json.dump(PARAMS, file)
prompt = torch.randint(VOCABULARY, (12,)).tolist()
with open("expected.json", "w") as file:
    json.dump({"prompt": prompt, "logits": [round(x, 9) for x in logits(prompt).tolist()]}, file)
