"""Makes the AWQ fixture with torch alone, by the formulas of AutoAWQ's WQLinear_GEMM.from_linear.

    python3 make.py      writes config.json, model.safetensors and expected.safetensors beside it
"""
import json, os, struct
import torch

torch.manual_seed(20261124)
GROUP, INPUTS, OUTPUTS = 32, 96, 24
ORDER = [0, 2, 4, 6, 1, 3, 5, 7]
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.int32: "I32"}

def save(path, tensors):
    header, data = {}, b""
    for name, t in tensors.items():
        raw = t.contiguous().numpy().tobytes()
        header[name] = {"dtype": NAMES[t.dtype], "shape": list(t.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)

def pack(values):  # [rows, outputs] of 0..15
    packed = torch.zeros(values.shape[0], values.shape[1] // 8, dtype=torch.int32)
    for column in range(packed.shape[1]):
        for i, place in enumerate(ORDER):
            packed[:, column] |= values[:, column * 8 + place] << (i * 4)
    return packed

weight = torch.randn(OUTPUTS, INPUTS) * 0.1
groups = weight.reshape(OUTPUTS, INPUTS // GROUP, GROUP)
largest, smallest = groups.amax(2), groups.amin(2)
scales = ((largest - smallest).clamp(min=1e-5) / 15).half()            # [outputs, groups]
zeros = (-torch.round(smallest / scales.float())).clamp(0, 15)
q = torch.empty(OUTPUTS, INPUTS, dtype=torch.int32)
for i in range(INPUTS):
    g = i // GROUP
    s = scales[:, g].float()
    q[:, i] = torch.round((weight[:, i] + zeros[:, g] * s) / s).clamp(0, 15).to(torch.int32)
full = lambda t: t.repeat_interleave(GROUP, dim=1)
layer = "model.layers.0.mlp.up_proj"
here = os.path.dirname(os.path.abspath(__file__))
save(os.path.join(here, "model.safetensors"), {
    layer + ".qweight": pack(q.t()),
    layer + ".qzeros": pack(zeros.t().to(torch.int32)),
    layer + ".scales": scales.t(),
    layer + ".bias": torch.randn(OUTPUTS).half(),
})
save(os.path.join(here, "expected.safetensors"), {
    "weight": weight,
    "dequantised": (q - full(zeros)) * full(scales.float()),
})
with open(os.path.join(here, "config.json"), "w") as f:
    json.dump({"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": GROUP,
                                       "version": "gemm", "zero_point": True}}, f)
